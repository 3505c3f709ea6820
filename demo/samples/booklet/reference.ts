import {
  claims,
  contacts,
  copay,
  deductible,
  memberShare,
  outOfPocketLimit,
  percent,
  plan,
  usd,
} from '../plan-figures.js';
import { type Chapter, h2, note, p, table, ul } from './content.js';

const rights: Chapter = {
  title: 'Your rights and the plan’s duties',
  columns: 1,
  blocks: [
    h2('Privacy'),
    p(
      'We use your health information only to pay claims, to coordinate care and to run the plan. Your employer receives totals that identify nobody. You may see and copy your information, ask for corrections, ask for a list of those to whom it was disclosed, and ask us to write to another address if a disclosure could endanger you. We answer within 30 days. If your information is ever exposed, we tell you within 60 days.',
    ),
    h2('Equal treatment'),
    p(
      'The plan does not discriminate on the basis of race, color, national origin, sex, age, disability or state of health. Letters are available in large print, in braille and on audio. Interpreters are free, also for sign language.',
    ),
    h2('Surprise bills'),
    p(
      'For emergency care, and for care at an in-network hospital by people whom you did not choose, federal law forbids balance bills. You owe no more than in-network cost sharing, and it counts toward your in-network deductible and out-of-pocket limit. Nobody may ask you to give up this protection in an emergency.',
    ),
    h2('Mothers, newborns and reconstruction'),
    ul(
      'The plan may not limit a hospital stay for childbirth to less than 48 hours, or 96 hours after a cesarean delivery, unless you and your physician decide to leave sooner.',
      'After a mastectomy the plan covers reconstruction of the breast, surgery on the other breast for symmetry, prostheses, and treatment of complications including lymphedema.',
    ),
    h2('Leave from work'),
    p(
      'During leave under the Family and Medical Leave Act your coverage goes on, and you pay the same contribution. If you do not return, you may owe the employer’s part for the time of the leave. During military service you may continue coverage for up to 24 months.',
    ),
    h2('Facts about the plan'),
    table(
      'Names, numbers and dates',
      [
        { title: 'Item', width: 36 },
        { title: 'Fact', width: 70 },
      ],
      [
        ['Plan name', `${plan.name} of ${plan.employer}`],
        ['Group number', plan.groupNumber],
        ['Plan sponsor', `${plan.employer}, 1200 Foundry Road, Millbrook Falls, MN 55000`],
        ['Insurer', plan.insurer],
        ['Plan year', `${plan.firstDay} to ${plan.lastDay}`],
        ['Funding', 'Insured; the employer and the employees share the premium'],
        ['Legal process', `The benefits office of ${plan.employer}, at the address above`],
      ],
    ),
    h2('Changes to the plan'),
    p(
      `${plan.employer} may change or end the plan. You are told at least 60 days before a change that reduces benefits takes effect. A change never affects care that you received before it.`,
    ),
    h2('Fraud'),
    p(
      `Fraud makes coverage more expensive for everyone. Check that the services on your explanation of benefits were given, and do not lend your card. Report a suspicion in confidence at ${contacts.fraud}.`,
    ),
  ],
};

const contactPage: Chapter = {
  title: 'Contacts',
  columns: 1,
  blocks: [
    h2('Telephone numbers'),
    table(
      'Whom to call',
      [
        { title: 'Reason for your call', width: 44 },
        { title: 'Telephone', width: 20 },
        { title: 'Hours', width: 40 },
      ],
      [
        ['Member Services: benefits, claims, cards', contacts.memberServices, contacts.memberServicesHours],
        ['Nurse line', contacts.nurseLine, 'At any hour'],
        [
          'Prior authorization and urgent appeals',
          contacts.priorAuthorization,
          'Monday to Friday, 7 a.m. to 7 p.m.; urgent requests at any hour',
        ],
        ['Mental health and substance use', contacts.behavioralHealth, 'At any hour'],
        ['Pharmacy help', contacts.pharmacy, 'At any hour'],
        ['Mail-order pharmacy', contacts.mailOrder, 'Monday to Saturday, 8 a.m. to 6 p.m.'],
        ['Dental rider', contacts.dental, 'Monday to Friday, 8 a.m. to 5 p.m.'],
        ['Vision rider', contacts.vision, 'Monday to Friday, 8 a.m. to 5 p.m.'],
        ['Continuation coverage', contacts.continuation, 'Monday to Friday, 8 a.m. to 5 p.m.'],
        ['Report of fraud', contacts.fraud, 'At any hour; you need not give your name'],
        ['Relay for deaf and hard-of-hearing callers', contacts.relay, 'At any hour'],
      ],
    ),
    h2('Addresses'),
    table(
      'Where to write',
      [
        { title: 'For', width: 28 },
        { title: 'Address', width: 78 },
      ],
      [
        ['Claims', contacts.claimsAddress],
        ['Appeals', `${contacts.appealsAddress}. Fax ${contacts.appealsFax}`],
        ['Questions by e-mail', contacts.email],
        ['Member site', contacts.site],
        ['Benefits office', `${plan.employer}, ${contacts.employerBenefits}`],
      ],
    ),
    h2('Your identification card'),
    p(
      'Show your card, or the digital card in the app, at every visit. It carries your member number, the group number, the copays and the telephone numbers that providers need. If it is lost, order a new one in the member site or call Member Services; it arrives within 10 business days.',
    ),
    note(
      'In an emergency',
      'Call 911 or go to the nearest emergency room. You need no authorization, and the copay is the same in any hospital.',
    ),
  ],
};

/** A term and what it means in this booklet. */
const term = (name: string, meaning: string) => p(`**${name}.** ${meaning}`);

const glossary: Chapter = {
  title: 'Glossary',
  columns: 2,
  blocks: [
    p('These words have a fixed meaning in this booklet and in our letters.'),
    term(
      'Allowed amount',
      'The most that the plan recognizes for a covered service. Also called eligible expense or negotiated rate.',
    ),
    term('Appeal', 'A request that we review a decision not to pay or not to authorize a service.'),
    term(
      'Balance billing',
      'A bill of an out-of-network provider for the difference between the charge and the allowed amount.',
    ),
    term(
      'Business day',
      'Monday to Friday, except federal holidays. Where this booklet says “day” alone, it means a calendar day.',
    ),
    term('Claim', 'A request that the plan pay for or authorize a service.'),
    term(
      'Coinsurance',
      `Your share of the allowed amount after the deductible: ${percent(memberShare.in)} in-network, ${percent(memberShare.out)} out-of-network.`,
    ),
    term(
      'Copay',
      `A fixed amount that you pay for a service, such as ${usd(copay.specialist)} for a specialist visit.`,
    ),
    term(
      'Custodial care',
      'Help with the activities of daily life that does not require a trained professional.',
    ),
    term(
      'Deductible',
      `What you pay each plan year before the plan begins to pay: ${usd(deductible.in.individual)} per person in-network.`,
    ),
    term('Dependent', 'A spouse, domestic partner or child whom the employee has enrolled.'),
    term(
      'Durable medical equipment',
      'Equipment that can withstand repeated use, serves a medical purpose and is suitable for the home, such as wheelchairs, oxygen equipment and crutches.',
    ),
    term(
      'Emergency',
      'A condition so severe that a reasonable person would expect serious harm without immediate care.',
    ),
    term('Exclusion', 'A service or supply that the plan does not cover.'),
    term(
      'Experimental',
      'Not yet shown by published studies to be safe and effective for the condition, or not approved by the federal authority for that use.',
    ),
    term('Explanation of benefits', 'The statement we send after each claim. It is not a bill.'),
    term('Formulary', 'The list of drugs that the plan covers, with the tier of each.'),
    term(
      'Generic drug',
      'A drug with the same active ingredient, strength and form as a brand drug whose patent has ended.',
    ),
    term(
      'Home health care',
      'Skilled nursing, therapy and related care that an agency gives in your home under a physician’s plan.',
    ),
    term('Hospice', 'Care that relieves pain and supports the family in the last months of life.'),
    term(
      'In-network provider',
      'A provider who has a contract with us and accepts the allowed amount as full payment.',
    ),
    term('Life event', 'A change in your family or work that lets you change your coverage during the year.'),
    term(
      'Medically necessary',
      'Needed to prevent, diagnose or treat an illness or injury, in line with accepted standards of medicine, and no more costly than an alternative that would serve as well.',
    ),
    term('Member', 'The employee and every enrolled dependent.'),
    term('Network', `The providers with whom ${plan.insurer} has contracts.`),
    term(
      'Out-of-pocket limit',
      `The most you pay for covered care in a plan year: ${usd(outOfPocketLimit.in.individual)} per person in-network. Then the plan pays 100%.`,
    ),
    term('Plan year', `The twelve months from ${plan.firstDay} to ${plan.lastDay}.`),
    term('Premium', 'The total monthly cost of coverage, of which the employee pays a contribution.'),
    term(
      'Preventive care',
      'Routine care for a person without symptoms, on the federal list of recommended services.',
    ),
    term('Primary plan', 'The plan that pays first when two plans cover the same person.'),
    term(
      'Prior authorization',
      'Our agreement, before you receive a service, that it is medically necessary and covered.',
    ),
    term('Provider', 'A physician, other licensed professional, hospital, laboratory or pharmacy.'),
    term('Rider', 'Optional coverage with its own contribution and rules: here dental and vision.'),
    term(
      'Skilled nursing facility',
      'A facility that gives skilled nursing and rehabilitation around the clock after a hospital stay.',
    ),
    term('Specialist', 'A physician with advanced training in one field of medicine.'),
    term(
      'Specialty drug',
      'A drug that needs special handling or supervision and is supplied by the specialty pharmacy.',
    ),
    term('Step therapy', 'The rule that a proven drug of a lower tier is tried first.'),
    term('Telehealth', 'A visit by video or telephone through the Fernhollow app.'),
    term('Timely filing', `The ${claims.filingMonths} months in which a claim must be filed.`),
    term(
      'Urgent care center',
      'A walk-in clinic for problems that cannot wait for an appointment but are not emergencies.',
    ),
  ],
};

export const referenceChapters: Chapter[] = [rights, contactPage, glossary];
