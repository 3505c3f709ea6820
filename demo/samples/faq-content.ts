import {
  claims,
  contacts,
  continuation,
  copay,
  deductible,
  drugs,
  enrollment,
  limits,
  memberShare,
  outOfPocketLimit,
  percent,
  plan,
  usd,
} from './plan-figures.js';

export interface FaqSection {
  title: string;
  entries: { question: string; answer: string[]; table?: { headers: string[]; rows: string[][] } }[];
}

export const faqSections: FaqSection[] = [
  {
    title: 'Your card and account',
    entries: [
      {
        question: 'How do I get a new identification card?',
        answer: [
          `Sign in at the member site and choose “Order a card”, or call Member Services at ${contacts.memberServices}. The new card arrives by mail within 10 business days and is free of charge. Until then you can show the digital card in the Fernhollow app.`,
        ],
      },
      {
        question: 'I forgot my password. What now?',
        answer: [
          'Choose “Forgot password” on the sign-in page. We send a link to your e-mail address; it works for 30 minutes. After five wrong passwords the account is locked for one hour.',
        ],
      },
      {
        question: 'Can my spouse see my claims?',
        answer: [
          'Not unless you allow it. Each adult has an account of their own. You can share yours under “Privacy”, and take the permission back at any time. Parents see the claims of their children under 13.',
        ],
      },
    ],
  },
  {
    title: 'Doctors and visits',
    entries: [
      {
        question: 'Do I need a referral to see a specialist?',
        answer: [
          `No. You may see any specialist without a referral. In the network a visit costs ${usd(copay.specialist)}; outside it you pay ${percent(memberShare.out)} after the deductible.`,
        ],
      },
      {
        question: 'Where should I go when I am ill?',
        answer: ['It depends on how urgent it is. The nurse line can help you decide at any hour.'],
        table: {
          headers: ['Where', 'When', 'What you pay in the network'],
          rows: [
            ['Telehealth', 'Colds, rashes, refills of a prescription', usd(copay.telehealth)],
            ['Primary care', 'Illness that can wait a day, check-ups', usd(copay.primaryCare)],
            ['Urgent care center', 'Sprains, cuts, fever at night', usd(copay.urgentCare)],
            ['Emergency room', 'Chest pain, severe bleeding, trouble breathing', usd(copay.emergencyRoom)],
          ],
        },
      },
      {
        question: 'Is my doctor in the network?',
        answer: [
          `Look in the provider directory on the member site, and ask the office whether it is in the network of the ${plan.name}. If the directory was wrong, we pay the visit as in-network care.`,
        ],
      },
      {
        question: 'How many physical therapy visits are covered?',
        answer: [
          `The plan covers ${limits.physicalTherapyVisits} visits in a plan year, physical and occupational therapy together. Each visit in the network costs ${usd(copay.therapy)}.`,
        ],
      },
      {
        question: 'Does the plan cover me abroad?',
        answer: [
          'Only in an emergency. Pay the bill, ask for an itemized statement, and send it to us when you are back. Planned care outside the United States is not covered.',
        ],
      },
    ],
  },
  {
    title: 'What you pay',
    entries: [
      {
        question: 'What is the difference between the deductible and the out-of-pocket limit?',
        answer: [
          `The deductible is what you pay before the plan begins to pay: ${usd(deductible.in.individual)} for one person in the network. The out-of-pocket limit is the most you pay in a plan year: ${usd(outOfPocketLimit.in.individual)} for one person. What you pay toward the deductible counts toward the limit.`,
        ],
      },
      {
        question: 'Does the deductible apply to office visits?',
        answer: [
          'Not in the network: you pay only the copay. Outside the network it applies to every visit.',
        ],
      },
      {
        question: 'Why did I receive a bill after I had paid the copay?',
        answer: [
          'The copay covers the visit. Tests or treatment at the same visit may be subject to the deductible and coinsurance. Compare the bill with your explanation of benefits, and call us if the two differ.',
        ],
      },
      {
        question: 'How much does insulin cost?',
        answer: [
          `Never more than ${usd(drugs.insulinMaximum)} for a ${drugs.retailDays}-day supply, if it is on the drug list.`,
        ],
      },
    ],
  },
  {
    title: 'Family and changes',
    entries: [
      {
        question: 'How do I add my newborn?',
        answer: [
          `Enroll the child on the member site within ${enrollment.birthDays} days of the birth. The first ${enrollment.lifeEventDays} days are covered without any action.`,
        ],
      },
      {
        question: 'Until what age is my child covered?',
        answer: [
          `Until the end of the month in which the child turns ${enrollment.childAge}. The child need not be a student or live with you.`,
        ],
      },
      {
        question: 'What happens when I leave my job?',
        answer: [
          `Coverage ends on the last day of that month. You may continue it for up to ${continuation.standardMonths} months at your own cost; you have ${continuation.electionDays} days to decide.`,
        ],
      },
    ],
  },
  {
    title: 'Claims and problems',
    entries: [
      {
        question: 'How long does it take to pay a claim?',
        answer: [
          `We decide within ${claims.postServiceDays} days after we receive it, and most claims are paid within 12 days. Payments by direct deposit arrive two days after the decision, checks within a week.`,
        ],
      },
      {
        question: 'When must I file a claim?',
        answer: [
          `Within ${claims.filingMonths} months of the date of service. In-network providers file for you.`,
        ],
      },
      {
        question: 'My claim was denied. What can I do?',
        answer: [
          `You may appeal within ${claims.appealDays} days of receiving the denial. Our letter names the reason and the address. If you need help with the appeal, call Member Services.`,
        ],
      },
    ],
  },
];
