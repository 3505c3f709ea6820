/**
 * Every figure of the fictitious plan, written once. The booklet, the letter and the questions-and-answers page
 * derive their text from here, so that they cannot contradict each other. Amounts are US dollars, shares are 0 to 1.
 */
export const plan = {
  insurer: 'Fernhollow Mutual Health',
  name: 'Cedar 1500 PPO',
  employer: 'Quillstone Instruments',
  groupNumber: 'QI-20417',
  year: 2026,
  firstDay: 'January 1, 2026',
  lastDay: 'December 31, 2026',
} as const;

export const contacts = {
  memberServices: '612-555-0142',
  memberServicesHours: 'Monday to Friday, 7 a.m. to 8 p.m. Central time',
  nurseLine: '612-555-0117',
  priorAuthorization: '612-555-0163',
  pharmacy: '612-555-0128',
  mailOrder: '612-555-0129',
  behavioralHealth: '612-555-0155',
  dental: '612-555-0171',
  vision: '612-555-0172',
  continuation: '612-555-0186',
  fraud: '612-555-0190',
  relay: '711',
  appealsFax: '612-555-0144',
  email: 'members@fernhollow.example.com',
  site: 'https://members.fernhollow.example.com',
  employerBenefits: 'benefits@quillstone.example.com',
  claimsAddress: 'Fernhollow Mutual Health, Claims, P.O. Box 40010, Millbrook Falls, MN 55000',
  appealsAddress: 'Fernhollow Mutual Health, Appeals, P.O. Box 40025, Millbrook Falls, MN 55000',
} as const;

interface Tiered {
  individual: number;
  family: number;
}

/** What applies on each side of the network. */
export const deductible: { in: Tiered; out: Tiered } = {
  in: { individual: 1_500, family: 3_000 },
  out: { individual: 3_500, family: 7_000 },
};
export const outOfPocketLimit: { in: Tiered; out: Tiered } = {
  in: { individual: 5_000, family: 10_000 },
  out: { individual: 10_000, family: 20_000 },
};
export const memberShare = { in: 0.2, out: 0.4 } as const;

export const copay = {
  primaryCare: 25,
  specialist: 50,
  telehealth: 10,
  urgentCare: 60,
  emergencyRoom: 300,
  labTest: 15,
  therapy: 35,
  counseling: 25,
} as const;

/** Visits and days are per person and plan year unless the name says otherwise. */
export const limits = {
  physicalTherapyVisits: 30,
  speechTherapyVisits: 20,
  cardiacRehabSessions: 36,
  chiropracticVisits: 15,
  acupunctureVisits: 12,
  homeHealthVisits: 60,
  skilledNursingDays: 90,
  nutritionVisits: 6,
  hearingAidAmount: 1_500,
  hearingAidMonths: 36,
  fertilityLifetimeAmount: 15_000,
  travelAmount: 4_000,
} as const;

export const priorAuthorization = {
  hospitalPenalty: 500,
  noticeDays: 10,
  emergencyNoticeHours: 48,
  validDays: 90,
} as const;

export const drugs = {
  deductible: 150,
  retailDays: 30,
  mailDays: 90,
  generic: { retail: 10, mail: 25 },
  preferred: { retail: 40, mail: 100 },
  nonPreferred: { retail: 80, mail: 200 },
  specialtyShare: 0.25,
  specialtyMaximum: 250,
  exceptionHours: 72,
  urgentExceptionHours: 24,
  insulinMaximum: 35,
} as const;

export const dental = {
  deductible: 50,
  familyDeductible: 150,
  annualMaximum: 1_500,
  basicShare: 0.2,
  majorShare: 0.5,
  orthodonticShare: 0.5,
  orthodonticLifetime: 1_800,
  orthodonticAge: 19,
  majorWaitingMonths: 6,
  cleaningsPerYear: 2,
} as const;

export const vision = {
  examCopay: 15,
  lensesCopay: 25,
  frameAllowance: 150,
  contactAllowance: 130,
  examMonths: 12,
  frameMonths: 24,
  outExam: 40,
  outLenses: 50,
  outFrame: 60,
  outContacts: 90,
} as const;

/** Employee contributions per month. */
export const contributions = {
  employee: 142,
  employeeAndChildren: 276,
  employeeAndSpouse: 318,
  family: 462,
  tobaccoSurcharge: 40,
} as const;

/** What the riders add, per month. */
export const riderContributions = {
  dental: { employee: 18, employeeAndChildren: 37, employeeAndSpouse: 35, family: 58 },
  vision: { employee: 6, employeeAndChildren: 11, employeeAndSpouse: 12, family: 17 },
} as const;

/** The total cost of coverage per month, of which a person who continues it pays the continuation share. */
export const totalPremium = {
  employee: 710,
  employeeAndChildren: 1_250,
  employeeAndSpouse: 1_480,
  family: 2_060,
} as const;

export const enrollment = {
  weeklyHours: 30,
  waitingDays: 30,
  newHireDays: 31,
  lifeEventDays: 31,
  birthDays: 60,
  lossOfPublicCoverageDays: 60,
  childAge: 26,
  openFrom: 'November 3, 2025',
  openUntil: 'November 21, 2025',
  leaveWeeks: 12,
} as const;

/** Time limits of claims and appeals. */
export const claims = {
  filingMonths: 12,
  urgentHours: 72,
  preServiceDays: 15,
  postServiceDays: 30,
  extensionDays: 15,
  missingInformationDays: 45,
  appealDays: 180,
  secondAppealDays: 60,
  preServiceAppealDays: 15,
  postServiceAppealDays: 30,
  externalReviewMonths: 4,
  externalDecisionDays: 45,
  expeditedHours: 72,
  payoutMaximumAgeMonths: 12,
} as const;

export const continuation = {
  standardMonths: 18,
  disabilityMonths: 29,
  dependentMonths: 36,
  electionDays: 60,
  noticeDays: 60,
  firstPaymentDays: 45,
  graceDays: 30,
  share: 1.02,
  disabilityShare: 1.5,
  minimumEmployees: 20,
} as const;

/** `1500` → `$1,500`; cents are shown only when there are any. */
export function usd(amount: number): string {
  const digits = Number.isInteger(amount) ? 0 : 2;
  return `$${amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** `0.2` → `20%`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** The date some days after another, both written like `June 30, 2026`. */
export function daysAfter(date: string, days: number): string {
  const [month, day, year] = date.replace(',', '').split(' ');
  const start = Date.UTC(Number(year), MONTHS.indexOf(month ?? ''), Number(day));
  const end = new Date(start + days * 86_400_000);
  return `${MONTHS[end.getUTCMonth()]} ${end.getUTCDate()}, ${end.getUTCFullYear()}`;
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
