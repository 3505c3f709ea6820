import {
  contacts,
  contributions,
  copay,
  deductible,
  enrollment,
  memberShare,
  outOfPocketLimit,
  percent,
  plan,
  riderContributions,
  usd,
} from '../plan-figures.js';
import { type Chapter, h2, h3, note, ol, p, small, table, ul } from './content.js';

/** One line of the table of monthly contributions. */
const contributionRow = (label: string, who: keyof typeof riderContributions.dental) => [
  label,
  usd(contributions[who]),
  usd(riderContributions.dental[who]),
  usd(riderContributions.vision[who]),
];
const OUT = `${percent(memberShare.out)} after deductible`;

const atAGlance: Chapter = {
  title: 'Your plan at a glance',
  columns: 1,
  blocks: [
    p(
      `The ${plan.name} is a preferred provider plan. You may see any licensed provider without a referral, but you pay less when the provider belongs to the Fernhollow network. This booklet describes what the plan pays from ${plan.firstDay} to ${plan.lastDay}, called the plan year. Deductibles, out-of-pocket limits and visit limits start again at zero on ${plan.firstDay.replace(String(plan.year), String(plan.year + 1))}.`,
    ),
    table(
      'The figures that matter most',
      [
        { title: 'What you pay', width: 34 },
        { title: 'In-network', width: 22 },
        { title: 'Out-of-network', width: 22 },
        { title: 'Good to know', width: 32 },
      ],
      [
        [
          'Deductible, one person',
          usd(deductible.in.individual),
          usd(deductible.out.individual),
          'Per plan year',
        ],
        [
          'Deductible, family',
          usd(deductible.in.family),
          usd(deductible.out.family),
          'Per plan year, for everyone together',
        ],
        [
          'Coinsurance after the deductible',
          percent(memberShare.in),
          percent(memberShare.out),
          'Your share of the allowed amount',
        ],
        [
          'Out-of-pocket limit, one person',
          usd(outOfPocketLimit.in.individual),
          usd(outOfPocketLimit.out.individual),
          'Then the plan pays 100%',
        ],
        [
          'Out-of-pocket limit, family',
          usd(outOfPocketLimit.in.family),
          usd(outOfPocketLimit.out.family),
          'Then the plan pays 100%',
        ],
        ['Preventive care', 'No charge', OUT, 'Yearly check-ups, vaccines, screenings'],
        [
          'Primary care visit',
          `${usd(copay.primaryCare)} copay`,
          OUT,
          'Deductible does not apply in-network',
        ],
        ['Specialist visit', `${usd(copay.specialist)} copay`, OUT, 'No referral needed'],
        [
          'Emergency room visit',
          `${usd(copay.emergencyRoom)} copay`,
          `${usd(copay.emergencyRoom)} copay`,
          'Waived if you are admitted',
        ],
      ],
    ),
    h2('How to use this booklet'),
    p(
      'Start with the section **How the plan pays**: it explains the words that every benefit table uses. Then look up your service in **Medical benefits** or **Prescription drugs**. Before you plan a hospital stay, a scan or surgery, read **Networks and prior authorization**, because some services are paid only if we agreed to them in advance.',
    ),
    p(
      `If this booklet and the group contract differ, the contract decides. You may ask the benefits office of ${plan.employer} for a copy of the contract at any time, free of charge.`,
    ),
    note(
      'Help is a phone call away',
      `Member Services answers at ${contacts.memberServices}, ${contacts.memberServicesHours}. For advice from a registered nurse at any hour, call the nurse line at ${contacts.nurseLine}. Both calls are free, and interpreters are available in more than 150 languages.`,
    ),
  ],
};

const eligibility: Chapter = {
  title: 'Who can be covered',
  columns: 1,
  blocks: [
    h2('Employees'),
    p(
      `You are eligible if you are a regular employee of ${plan.employer} who is scheduled to work at least ${enrollment.weeklyHours} hours a week. Temporary staff, interns and independent contractors are not eligible, whatever hours they work. Employees on an approved paid leave keep their eligibility for the whole leave; on an unpaid leave it lasts for up to ${enrollment.leaveWeeks} weeks.`,
    ),
    h2('Dependents'),
    p('If you are covered, you may also cover these members of your family:'),
    ul(
      'your **spouse**, unless you are legally separated, or your **domestic partner**, if you have shared a household for at least 12 months and have filed the affidavit of partnership;',
      `your **children up to age ${enrollment.childAge}**: by birth, by adoption or placement for adoption, stepchildren, foster children and children of a covered domestic partner. They need not live with you, be students, or depend on you for support;`,
      `your **unmarried children of any age** who cannot support themselves because of a disability that began before age ${enrollment.childAge}. Send us the physician’s statement within ${enrollment.newHireDays} days after the child’s birthday, and again when we ask for it, at most once a year;`,
      'a child whom a **medical child support order** requires you to cover.',
    ),
    p(
      'Parents, grandparents, grandchildren who are not in your legal custody, and siblings cannot be covered. Nobody can be covered both as an employee and as a dependent, and a child can be a dependent of only one employee.',
    ),
    h2('Proof of eligibility'),
    p(
      `We ask for a copy of the marriage certificate, birth certificate or court order when you add a dependent. If we do not receive it within ${enrollment.lifeEventDays} days, the dependent’s coverage ends on the last day of that month. Tell the benefits office within ${enrollment.lifeEventDays} days when a dependent no longer qualifies, for example after a divorce. If you do not, you may have to repay what the plan has paid in the meantime.`,
    ),
    h2('When coverage begins'),
    p(
      `Coverage of a new employee begins on the first day of the month after ${enrollment.waitingDays} days of employment. Somebody hired on March 10 has completed ${enrollment.waitingDays} days on April 8 and is covered from May 1. Dependents whom you enroll at the same time are covered from the same day. There is no exclusion for conditions that existed before, and no health question is asked.`,
    ),
    h3('Newborn and adopted children'),
    p(
      `A newborn is covered from birth for the first ${enrollment.lifeEventDays} days without any action on your part. To continue the coverage you must enroll the child within ${enrollment.birthDays} days of the birth. The same rule applies from the day on which a child is placed with you for adoption.`,
    ),
  ],
};

const enrolling: Chapter = {
  title: 'Enrollment and what it costs',
  columns: 1,
  blocks: [
    h2('How to enroll'),
    ol(
      `Sign in at ${contacts.site} with your employee number.`,
      'Choose whom you want to cover and whether you want the dental and vision riders.',
      'Upload the documents that prove the eligibility of your dependents.',
      `Confirm. Your identification card arrives by mail within 10 business days; a digital card is ready at once.`,
    ),
    p(
      `As a new employee you have **${enrollment.newHireDays} days** from your first day of work to enroll. If you miss this window, you must wait for the next annual enrollment unless one of the life events below happens to you. Annual enrollment for ${plan.year} took place from ${enrollment.openFrom} to ${enrollment.openUntil}; choices made then took effect on ${plan.firstDay}.`,
    ),
    h2('Changes during the year'),
    p(
      'Contributions are deducted before tax, and the tax rules therefore allow changes during the year only after certain events. The change must fit the event: after the birth of a child you may add the child, but not drop your spouse.',
    ),
    table(
      'Life events and the time you have',
      [
        { title: 'Event', width: 36 },
        { title: 'Tell us within', width: 18 },
        { title: 'Coverage changes on', width: 30 },
        { title: 'Proof we need', width: 30 },
      ],
      [
        [
          'Marriage or new domestic partnership',
          `${enrollment.lifeEventDays} days`,
          'First day of the next month',
          'Certificate or affidavit',
        ],
        [
          'Birth, adoption or placement',
          `${enrollment.birthDays} days`,
          'Day of the event',
          'Birth record or court order',
        ],
        [
          'Divorce, separation or death',
          `${enrollment.lifeEventDays} days`,
          'Last day of the month of the event',
          'Decree or death certificate',
        ],
        [
          'Loss of other employer coverage',
          `${enrollment.lifeEventDays} days`,
          'Day after the other coverage ends',
          'Letter from the other plan',
        ],
        [
          'Loss of a public program',
          `${enrollment.lossOfPublicCoverageDays} days`,
          'Day after the other coverage ends',
          'Notice of the program',
        ],
        [
          'Change of working hours',
          `${enrollment.lifeEventDays} days`,
          'First day of the next month',
          'None; your employer tells us',
        ],
        [
          'Move out of the service area',
          `${enrollment.lifeEventDays} days`,
          'First day of the next month',
          'New address',
        ],
      ],
    ),
    h2('Your monthly contributions'),
    p(
      `${plan.employer} pays the larger part of the cost. Your part is deducted from your pay in two equal installments a month.`,
    ),
    table(
      `Employee contributions in ${plan.year}, per month`,
      [
        { title: 'Who is covered', width: 40 },
        { title: 'Medical and drugs', group: 'You pay', width: 20 },
        { title: 'Dental rider', group: 'You pay', width: 18 },
        { title: 'Vision rider', group: 'You pay', width: 18 },
      ],
      [
        contributionRow('Employee only', 'employee'),
        contributionRow('Employee and children', 'employeeAndChildren'),
        contributionRow('Employee and spouse', 'employeeAndSpouse'),
        contributionRow('Family', 'family'),
      ],
    ),
    small(
      `A surcharge of ${usd(contributions.tobaccoSurcharge)} a month applies to employees who use tobacco. It is dropped from the month after you complete the free tobacco program, whether or not you succeed in stopping.`,
    ),
    h2('Waiving coverage'),
    p(
      `You may decline coverage if you have other health insurance. Say so in the enrollment site; no payment is made in place of coverage. If you later lose the other insurance, you may join within ${enrollment.lifeEventDays} days as shown in the table above.`,
    ),
  ],
};

export const joiningChapters: Chapter[] = [atAGlance, eligibility, enrolling];
