import { contacts, dental, drugs, memberShare, percent, plan, usd, vision } from '../plan-figures.js';
import { type Chapter, h2, note, p, small, table, ul } from './content.js';

const copays = (pair: { retail: number; mail: number }) => [usd(pair.retail), usd(pair.mail)];

const prescriptions: Chapter = {
  title: 'Prescription drugs',
  columns: 1,
  blocks: [
    p(
      `Drugs are covered when a licensed provider prescribes them and they are on the plan’s drug list, the formulary. The list places each drug in one of four tiers. A committee of pharmacists and physicians reviews it every quarter; you are told 60 days before a drug that you take moves to a higher tier.`,
    ),
    h2('What you pay for drugs'),
    p(
      `Tiers 3 and 4 have a separate drug deductible of **${usd(drugs.deductible)} per person** each plan year. Tiers 1 and 2 have none. All that you pay for covered drugs counts toward the in-network out-of-pocket limit.`,
    ),
    table(
      'Prescription tiers',
      [
        { title: 'Tier', width: 31 },
        {
          title: `Retail, up to ${drugs.retailDays} days`,
          group: 'Your copay at network pharmacies',
          width: 22,
        },
        {
          title: `Mail order, up to ${drugs.mailDays} days`,
          group: 'Your copay at network pharmacies',
          width: 24,
        },
        { title: 'Out-of-network pharmacy', width: 22 },
        { title: 'Drug deductible', width: 18 },
      ],
      [
        ['Tier 1: generic', ...copays(drugs.generic), percent(memberShare.out), 'None'],
        ['Tier 2: preferred brand', ...copays(drugs.preferred), percent(memberShare.out), 'None'],
        [
          'Tier 3: non-preferred brand',
          ...copays(drugs.nonPreferred),
          percent(memberShare.out),
          usd(drugs.deductible),
        ],
        [
          'Tier 4: specialty',
          `${percent(drugs.specialtyShare)}, at most ${usd(drugs.specialtyMaximum)} per fill`,
          'Not available',
          'Not covered',
          usd(drugs.deductible),
        ],
        ['Preventive drugs', 'No charge', 'No charge', percent(memberShare.out), 'None'],
      ],
    ),
    small(
      `Insulin on the drug list never costs more than ${usd(drugs.insulinMaximum)} for a ${drugs.retailDays}-day supply, whatever its tier, and the drug deductible does not apply to it.`,
    ),
    h2('If you choose the brand'),
    p(
      'If a generic equivalent exists and you or your physician ask for the brand, you pay the generic copay and the difference in price. The difference does not count toward the out-of-pocket limit. It is waived if your physician shows that the generic did not work for you or harmed you.',
    ),
    h2('Mail order'),
    p(
      `Drugs that you take regularly may be sent to your home in a ${drugs.mailDays}-day supply for the price of two and a half months. Order at ${contacts.site}/pharmacy or call ${contacts.mailOrder}. Allow 10 days for the first order. You may also collect a ${drugs.mailDays}-day supply at a network pharmacy for three retail copays.`,
    ),
    h2('Rules for some drugs'),
    ul(
      '**Prior authorization**: your physician must show that the drug fits your diagnosis. All specialty drugs need it.',
      '**Step therapy**: you try a proven drug of a lower tier first. If you were stable on the drug under another plan within the last 90 days, no step is required.',
      '**Quantity limits**: the amount per fill follows the label approved for the drug.',
      '**Specialty pharmacy**: tier 4 drugs are supplied by the Fernhollow specialty pharmacy only, 30 days at a time.',
    ),
    h2('Exceptions to the drug list'),
    p(
      `You, your physician or someone you appoint may ask us to cover a drug that is not on the list or to waive a rule. Call ${contacts.pharmacy}. We answer within ${drugs.exceptionHours} hours, or within ${drugs.urgentExceptionHours} hours if waiting could seriously harm you. An approved exception lasts until the end of the plan year; the drug is then paid as tier 3.`,
    ),
    h2('Drugs the plan does not cover'),
    ul(
      'drugs that can be bought without a prescription, except those that count as preventive care;',
      'drugs for cosmetic purposes, hair growth or sexual function;',
      'weight-loss drugs, unless prescribed after bariatric surgery;',
      'drugs that are experimental or have been withdrawn;',
      'replacement of lost or stolen drugs, more than once a year.',
    ),
  ],
};

const dentalRider: Chapter = {
  title: 'Dental rider',
  columns: 1,
  blocks: [
    p(
      `This section applies only if you chose the dental rider. It has its own deductible of ${usd(dental.deductible)} per person and ${usd(dental.familyDeductible)} per family, and pays at most **${usd(dental.annualMaximum)} per person** each plan year. You may see any dentist; network dentists accept the plan’s fee as full payment.`,
    ),
    h2('What the dental rider pays'),
    table(
      'Dental benefits',
      [
        { title: 'Service', width: 40 },
        { title: 'Plan pays', group: 'Payment', width: 14 },
        { title: 'You pay', group: 'Payment', width: 14 },
        { title: 'Deductible', width: 16 },
        { title: 'Limits', width: 34 },
      ],
      [
        ['Preventive'],
        ['Examinations and cleanings', '100%', '0%', 'No', `${dental.cleaningsPerYear} per plan year`],
        ['Bitewing X-rays', '100%', '0%', 'No', 'One set per plan year'],
        ['Sealants and fluoride', '100%', '0%', 'No', 'To age 16'],
        ['Basic'],
        [
          'Fillings',
          percent(1 - dental.basicShare),
          percent(dental.basicShare),
          'Yes',
          'White fillings on front teeth',
        ],
        [
          'Root canals and extractions',
          percent(1 - dental.basicShare),
          percent(dental.basicShare),
          'Yes',
          'One root canal per tooth',
        ],
        [
          'Gum treatment',
          percent(1 - dental.basicShare),
          percent(dental.basicShare),
          'Yes',
          'Every 24 months per quadrant',
        ],
        ['Major'],
        [
          'Crowns, bridges and dentures',
          percent(1 - dental.majorShare),
          percent(dental.majorShare),
          'Yes',
          'Replacement after 7 years',
        ],
        [
          'Implants',
          percent(1 - dental.majorShare),
          percent(dental.majorShare),
          'Yes',
          'One per tooth per lifetime',
        ],
        ['Orthodontic'],
        [
          'Braces and aligners',
          percent(1 - dental.orthodonticShare),
          percent(dental.orthodonticShare),
          'No',
          `Under age ${dental.orthodonticAge}; ${usd(dental.orthodonticLifetime)} per lifetime`,
        ],
      ],
    ),
    h2('Waiting period and estimates'),
    p(
      `Major services are covered after you have had the rider for ${dental.majorWaitingMonths} months. The waiting period is waived if you had dental coverage until no more than 60 days before. Ask your dentist for a written estimate before treatment above $300: we tell you within 10 business days what the plan will pay.`,
    ),
    h2('What the dental rider excludes'),
    ul(
      'whitening and other cosmetic treatment;',
      'treatment that began before the rider took effect;',
      'bite guards for sports, and replacement of lost appliances;',
      'orthodontic treatment of adults.',
    ),
    p(`Questions about dental claims are answered at ${contacts.dental}.`),
  ],
};

/** The price of the frame in the example. */
const frame = 210;

const visionRider: Chapter = {
  title: 'Vision rider',
  columns: 1,
  blocks: [
    p(
      'This section applies only if you chose the vision rider. Medical treatment of the eyes, such as surgery for cataracts, is covered under Medical benefits whether or not you have the rider.',
    ),
    h2('What the vision rider pays'),
    table(
      'Vision benefits',
      [
        { title: 'Service', width: 30 },
        { title: 'In-network', group: 'What you pay or receive', width: 32 },
        { title: 'Out-of-network', group: 'What you pay or receive', width: 28 },
        { title: 'How often', width: 24 },
      ],
      [
        [
          'Eye examination',
          `You pay ${usd(vision.examCopay)}`,
          `We repay up to ${usd(vision.outExam)}`,
          `Every ${vision.examMonths} months`,
        ],
        [
          'Lenses, single or multifocal',
          `You pay ${usd(vision.lensesCopay)}`,
          `We repay up to ${usd(vision.outLenses)}`,
          `Every ${vision.examMonths} months`,
        ],
        [
          'Frames',
          `Allowance of ${usd(vision.frameAllowance)}, then 20% off`,
          `We repay up to ${usd(vision.outFrame)}`,
          `Every ${vision.frameMonths} months`,
        ],
        [
          'Contact lenses in place of glasses',
          `Allowance of ${usd(vision.contactAllowance)}`,
          `We repay up to ${usd(vision.outContacts)}`,
          `Every ${vision.examMonths} months`,
        ],
        ['Laser correction', '15% off the usual price', 'Not covered', 'Once per eye'],
      ],
    ),
    h2('How to use the vision rider'),
    p(
      `Give the office your name and date of birth; no card or claim form is needed in the network. For an out-of-network office, pay the bill and send the receipt within 12 months to the claims address in **Contacts**. If your frame costs ${usd(frame)}, the allowance pays ${usd(vision.frameAllowance)}, you receive 20% off the remaining ${usd(frame - vision.frameAllowance)}, and you pay ${usd((frame - vision.frameAllowance) * 0.8)}.`,
    ),
    note(
      'Two pairs in one year',
      `You may receive glasses or contact lenses in a ${vision.examMonths}-month period, but not both. Children under 13 may receive a second pair of lenses when their prescription changes.`,
    ),
    h2('What the vision rider excludes'),
    ul(
      'sunglasses without a prescription, and safety glasses that your employer must provide;',
      'replacement of lost or broken glasses before the period has passed;',
      `vision training and low-vision aids beyond what ${plan.insurer} lists on its site.`,
    ),
    p(`Questions about the vision rider are answered at ${contacts.vision}.`),
  ],
};

export const drugAndRiderChapters: Chapter[] = [prescriptions, dentalRider, visionRider];
