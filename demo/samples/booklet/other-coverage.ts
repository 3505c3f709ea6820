import { contacts, continuation, enrollment, percent, plan, totalPremium, usd } from '../plan-figures.js';
import { type Chapter, h2, note, ol, p, table, ul } from './content.js';

const monthly = (amount: number, share: number) => usd(Math.round(amount * share * 100) / 100);
const premiumRow = (label: string, amount: number) => [
  label,
  usd(amount),
  monthly(amount, continuation.share),
  monthly(amount, continuation.disabilityShare),
];

const coordination: Chapter = {
  title: 'If you have other coverage',
  columns: 1,
  blocks: [
    p(
      'Many people are covered by two plans, for example their own and their spouse’s. The plans then coordinate: one pays first and is called primary, the other pays second. Together they never pay more than 100% of the allowed amount.',
    ),
    h2('Which plan pays first'),
    ol(
      'A plan without rules of coordination pays before a plan that has them.',
      'The plan that covers you as an employee pays before the plan that covers you as a dependent.',
      'For a child whose parents live together, the plan of the parent **whose birthday comes first in the calendar year** is primary. The year of birth does not matter. If the birthdays are the same, the plan that has covered a parent longer is primary.',
      'For a child of separated parents, the plan of the parent whom a court made responsible is primary. Without an order, the plan of the parent with custody comes first, then the plan of that parent’s spouse, then the plan of the other parent.',
      'The plan of an active employee pays before a plan for retired or laid-off employees, and before continuation coverage.',
      'If no rule decides, the plan that has covered you longer is primary.',
    ),
    h2('What we pay as the second plan'),
    p(
      'We work out what we would have paid as the only plan, and subtract what the primary plan paid. Suppose that the allowed amount is $1,000, that you have met your deductible, and that the primary plan paid $700. Alone we would have paid $800. We pay the difference of $100, and you owe $200.',
    ),
    h2('Medicare'),
    table(
      'Who pays first when you have Medicare',
      [
        { title: 'Your situation', width: 58 },
        { title: 'Pays first', width: 22 },
        { title: 'Pays second', width: 22 },
      ],
      [
        ['Age 65 or older, you or your spouse still working', 'This plan', 'Medicare'],
        ['Disabled and under 65, you or a family member working', 'This plan', 'Medicare'],
        ['Kidney failure, first 30 months', 'This plan', 'Medicare'],
        ['Kidney failure, after 30 months', 'Medicare', 'This plan'],
        ['Continuation coverage, age 65 or older', 'Medicare', 'This plan'],
      ],
    ),
    h2('When somebody else is responsible'),
    p(
      'If another person caused your injury, for example in a road accident, we pay your claims so that you do not have to wait. When you receive money from that person or an insurer, you must repay us out of it what we paid for the injury. Tell us within 30 days when you make such a claim, and do not settle it without asking us first. We share the cost of your lawyer in proportion to what we recover.',
    ),
    note(
      'Tell us about other coverage once a year',
      `We send you a short questionnaire each spring. If it is not answered within 45 days, claims of your dependents wait until it is. You can answer it at ${contacts.site} in two minutes.`,
    ),
  ],
};

const ending: Chapter = {
  title: 'When coverage ends and how to continue it',
  columns: 1,
  blocks: [
    h2('When coverage ends'),
    ul(
      'on the last day of the month in which your employment ends or your hours fall below the minimum;',
      `on the last day of the month in which a child turns ${enrollment.childAge}, or a spouse or partner no longer qualifies;`,
      'on the last day of the month for which your contribution was paid;',
      `on the day on which ${plan.employer} ends the plan;`,
      'back to an earlier date only in the case of fraud, with 30 days’ written notice.',
    ),
    p(
      'If you are in the hospital on the day on which coverage ends, the plan pays for that stay until you are discharged, for at most 30 days.',
    ),
    h2('Continuation coverage'),
    p(
      `Federal law lets you and your covered dependents keep the same coverage for some time at your own cost, if it would otherwise end because of one of the events below. It applies to employers with at least ${continuation.minimumEmployees} employees. Each person may decide for themselves; a parent may decide for a child.`,
    ),
    table(
      'How long coverage can be continued',
      [
        { title: 'Event', width: 48 },
        { title: 'Employee', group: 'Who may continue', width: 16 },
        { title: 'Spouse', group: 'Who may continue', width: 16 },
        { title: 'Children', group: 'Who may continue', width: 16 },
        { title: 'At most', width: 18 },
      ],
      [
        [
          'Employment ends, except for gross misconduct',
          'Yes',
          'Yes',
          'Yes',
          `${continuation.standardMonths} months`,
        ],
        ['Working hours are reduced', 'Yes', 'Yes', 'Yes', `${continuation.standardMonths} months`],
        [
          'Disability in the first 60 days of continuation',
          'Yes',
          'Yes',
          'Yes',
          `${continuation.disabilityMonths} months`,
        ],
        ['Death of the employee', 'No', 'Yes', 'Yes', `${continuation.dependentMonths} months`],
        ['Divorce or legal separation', 'No', 'Yes', 'Yes', `${continuation.dependentMonths} months`],
        [
          'Employee becomes entitled to Medicare',
          'No',
          'Yes',
          'Yes',
          `${continuation.dependentMonths} months`,
        ],
        ['Child no longer qualifies', 'No', 'No', 'Yes', `${continuation.dependentMonths} months`],
      ],
    ),
    h2('Deadlines of continuation'),
    ol(
      `After a divorce, or when a child no longer qualifies, you must tell us within **${continuation.noticeDays} days**. Your employer tells us about the other events.`,
      `We send you the election notice within 14 days. You then have **${continuation.electionDays} days** to elect continuation, counted from the notice or from the loss of coverage, whichever is later.`,
      `The first payment is due within **${continuation.firstPaymentDays} days** after you elect. It covers the time since the loss of coverage.`,
      `Later payments are due on the first day of each month, with a grace period of **${continuation.graceDays} days**. If a payment is missed, coverage ends and cannot be restored.`,
    ),
    h2('What continuation costs'),
    p(
      `You pay the whole premium and an administrative charge of 2%, that is ${percent(continuation.share)} of the total cost. During the ${continuation.disabilityMonths - continuation.standardMonths} additional months for a disability it is ${percent(continuation.disabilityShare)}.`,
    ),
    table(
      `Continuation premiums in ${plan.year}, per month`,
      [
        { title: 'Who is covered', width: 36 },
        { title: 'Total cost of coverage', width: 26 },
        { title: `Months 1 to ${continuation.standardMonths}`, group: 'You pay', width: 22 },
        {
          title: `Months ${continuation.standardMonths + 1} to ${continuation.disabilityMonths}`,
          group: 'You pay',
          width: 22,
        },
      ],
      [
        premiumRow('One person', totalPremium.employee),
        premiumRow('Employee and children', totalPremium.employeeAndChildren),
        premiumRow('Employee and spouse', totalPremium.employeeAndSpouse),
        premiumRow('Family', totalPremium.family),
      ],
    ),
    h2('When continuation ends early'),
    p(
      'Continuation ends before the maximum when a payment is missed, when you become covered by another group plan or entitled to Medicare after you elected it, when a disability ends, or when the employer stops offering any group plan.',
    ),
    h2('Other choices'),
    p(
      `The loss of coverage also opens a special enrollment period of 60 days on the public insurance marketplace, where you may qualify for help with the premium. A spouse’s employer must let you join within 30 days. Questions about continuation are answered at ${contacts.continuation}.`,
    ),
  ],
};

export const otherCoverageChapters: Chapter[] = [coordination, ending];
