import { splitCost } from './cost-sharing.js';
import { claims, copay, daysAfter, deductible, memberShare, outOfPocketLimit, usd } from './plan-figures.js';

/** The claim that the letter explains. Amounts are US dollars. */
export const claimCase = {
  member: 'Jordan Avery',
  memberNumber: 'FHM 7731 4402',
  claimNumber: '26-0611-88417',
  letterDate: 'June 30, 2026',
  received: 'June 15, 2026',
  physician: 'Dr. Lena Okafor',
  clinic: 'Lakemoor Orthopedic Clinic',
  imagingCenter: 'Silverpine Imaging Center',
  /** What Jordan had already paid toward the in-network deductible before this claim. */
  deductiblePaidBefore: 1_420,
  reasonCode: 'PA-04',
} as const;

export interface ClaimLine {
  date: string;
  service: string;
  provider: string;
  network: 'In' | 'Out';
  charged: number;
  allowed: number;
  copay: number;
  deductible: number;
  coinsurance: number;
  paid: number;
  owed: number;
}

const brace = splitCost(
  220,
  { deductible: deductible.in.individual, share: memberShare.in, limit: outOfPocketLimit.in.individual },
  { deductible: claimCase.deductiblePaidBefore, outOfPocket: 1_690 },
);
const visit = { charged: 240, allowed: 165 };
const lab = { charged: 65, allowed: 40 };
const scan = 1_950;

export const claimLines: ClaimLine[] = [
  {
    date: 'June 9, 2026',
    service: 'Specialist office visit',
    provider: claimCase.clinic,
    network: 'In',
    ...visit,
    copay: copay.specialist,
    deductible: 0,
    coinsurance: 0,
    paid: visit.allowed - copay.specialist,
    owed: copay.specialist,
  },
  {
    date: 'June 9, 2026',
    service: 'Laboratory test, uric acid',
    provider: claimCase.clinic,
    network: 'In',
    ...lab,
    copay: copay.labTest,
    deductible: 0,
    coinsurance: 0,
    paid: lab.allowed - copay.labTest,
    owed: copay.labTest,
  },
  {
    date: 'June 9, 2026',
    service: 'Hinged knee brace',
    provider: claimCase.clinic,
    network: 'In',
    charged: 310,
    allowed: brace.allowed,
    copay: 0,
    deductible: brace.deductible,
    coinsurance: brace.coinsurance,
    paid: brace.plan,
    owed: brace.member,
  },
  {
    date: 'June 11, 2026',
    service: 'MRI of the left knee',
    provider: claimCase.imagingCenter,
    network: 'Out',
    charged: scan,
    allowed: 0,
    copay: 0,
    deductible: 0,
    coinsurance: 0,
    paid: 0,
    owed: scan,
  },
];

const sum = (pick: (line: ClaimLine) => number) => claimLines.reduce((total, line) => total + pick(line), 0);

export const claimTotals = {
  charged: sum((line) => line.charged),
  allowed: sum((line) => line.allowed),
  copay: sum((line) => line.copay),
  deductible: sum((line) => line.deductible),
  coinsurance: sum((line) => line.coinsurance),
  paid: sum((line) => line.paid),
  owed: sum((line) => line.owed),
};

export const deniedAmount = usd(scan);
/** Counted from the date of the letter, the earliest day on which it can have been received. */
export const appealDeadline = daysAfter(claimCase.letterDate, claims.appealDays);
