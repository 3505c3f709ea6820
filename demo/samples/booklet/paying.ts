import { splitCost } from '../cost-sharing.js';
import {
  contacts,
  copay,
  deductible,
  memberShare,
  outOfPocketLimit,
  percent,
  plan,
  priorAuthorization,
  usd,
} from '../plan-figures.js';
import { type Chapter, h2, h3, note, ol, p, table, ul } from './content.js';

const inNetwork = {
  deductible: deductible.in.individual,
  share: memberShare.in,
  limit: outOfPocketLimit.in.individual,
};
const outOfNetwork = {
  deductible: deductible.out.individual,
  share: memberShare.out,
  limit: outOfPocketLimit.out.individual,
};
const surgery = splitCost(18_000, inNetwork);
const cancer = splitCost(42_000, inNetwork);
const scan = { billed: 6_000, ...splitCost(4_000, outOfNetwork) };
const family = [
  { name: 'Priya', bills: 1_500 },
  { name: 'Daniel', bills: 900 },
  { name: 'Mira', bills: 600 },
];

const howThePlanPays: Chapter = {
  title: 'How the plan pays',
  columns: 1,
  blocks: [
    p(
      'For most care three things decide what you pay: whether the provider is in the network, whether you have met your deductible, and whether you have reached your out-of-pocket limit.',
    ),
    h2('The allowed amount'),
    p(
      'The allowed amount is the most that the plan recognizes for a service. In-network providers have agreed to accept it as full payment. An out-of-network provider may charge more, and may bill you for the difference, which is called **balance billing**. What you pay in balance bills does not count toward your deductible or your out-of-pocket limit.',
    ),
    h2('The deductible'),
    p(
      `The deductible is what you pay each plan year before the plan begins to pay. For in-network care it is **${usd(deductible.in.individual)} for one person** and **${usd(deductible.in.family)} for a family**. For out-of-network care it is ${usd(deductible.out.individual)} for one person and ${usd(deductible.out.family)} for a family. The two are counted separately: a bill from an out-of-network provider does not reduce your in-network deductible.`,
    ),
    p(
      'These services are paid in full or with a copay even before you have met the in-network deductible: preventive care, office visits, telehealth, urgent care, emergency room visits, laboratory tests, outpatient counseling, outpatient therapy, and generic drugs.',
    ),
    h2('Copays and coinsurance'),
    p(
      `A **copay** is a fixed amount that you pay at the visit, such as ${usd(copay.primaryCare)} for primary care. **Coinsurance** is your share of the allowed amount after the deductible: ${percent(memberShare.in)} in-network and ${percent(memberShare.out)} out-of-network. Copays do not count toward the deductible, but both copays and coinsurance count toward the out-of-pocket limit.`,
    ),
    h2('The out-of-pocket limit'),
    p(
      `The out-of-pocket limit is the most you pay for covered care in a plan year. When your in-network deductible, copays and coinsurance reach **${usd(outOfPocketLimit.in.individual)}**, the plan pays 100% of your covered in-network care for the rest of the year. The limit for a family is ${usd(outOfPocketLimit.in.family)}. The out-of-network limits are ${usd(outOfPocketLimit.out.individual)} for one person and ${usd(outOfPocketLimit.out.family)} for a family.`,
    ),
    p('The following never count toward the limit, and you go on paying them after you have reached it:'),
    ul(
      'your monthly contributions;',
      'balance bills of out-of-network providers;',
      'services that the plan does not cover, or beyond a visit or dollar limit;',
      `the ${usd(priorAuthorization.hospitalPenalty)} reduction for a hospital stay without prior authorization;`,
      'dental and vision expenses under the riders.',
    ),
    h2('Worked examples'),
    h3('Example 1: knee surgery in the network'),
    p(
      `Elena has had no medical bills this year. The allowed amount of her surgery is ${usd(surgery.allowed)}. She pays the deductible of ${usd(surgery.deductible)} and ${percent(inNetwork.share)} of the remaining ${usd(surgery.allowed - surgery.deductible)}, which is ${usd(surgery.coinsurance)}. In all she pays ${usd(surgery.member)} and the plan pays ${usd(surgery.plan)}.`,
    ),
    h3('Example 2: a costly illness'),
    p(
      `Robert’s treatment has an allowed amount of ${usd(cancer.allowed)}. The deductible of ${usd(cancer.deductible)} and coinsurance of ${usd(cancer.coinsurance)} would come to ${usd(cancer.deductible + cancer.coinsurance)}, but he stops paying at the out-of-pocket limit of ${usd(inNetwork.limit)}. The plan pays ${usd(cancer.plan)}.`,
    ),
    h3('Example 3: a procedure out of the network'),
    p(
      `Mei chooses a clinic outside the network. It charges ${usd(scan.billed)}; the allowed amount is ${usd(scan.allowed)}. She pays the out-of-network deductible of ${usd(scan.deductible)}, ${percent(outOfNetwork.share)} of the remaining ${usd(scan.allowed - scan.deductible)}, which is ${usd(scan.coinsurance)}, and the balance bill of ${usd(scan.billed - scan.allowed)}. In all she pays ${usd(scan.member + scan.billed - scan.allowed)} and the plan pays ${usd(scan.plan)}.`,
    ),
    table(
      'The three examples side by side',
      [
        { title: 'Example', width: 30 },
        { title: 'Charged', width: 15 },
        { title: 'Allowed', width: 15 },
        { title: 'Deductible', group: 'The member pays', width: 17 },
        { title: 'Coinsurance', group: 'The member pays', width: 17 },
        { title: 'Balance bill', group: 'The member pays', width: 17 },
        { title: 'The plan pays', width: 17 },
      ],
      [
        [
          '1 Knee surgery',
          usd(18_000),
          usd(surgery.allowed),
          usd(surgery.deductible),
          usd(surgery.coinsurance),
          usd(0),
          usd(surgery.plan),
        ],
        [
          '2 Costly illness',
          usd(42_000),
          usd(cancer.allowed),
          usd(cancer.deductible),
          usd(cancer.member - cancer.deductible),
          usd(0),
          usd(cancer.plan),
        ],
        [
          '3 Out of network',
          usd(scan.billed),
          usd(scan.allowed),
          usd(scan.deductible),
          usd(scan.coinsurance),
          usd(scan.billed - scan.allowed),
          usd(scan.plan),
        ],
      ],
    ),
    h3('Example 4: how a family meets its deductible'),
    p(
      `No one person pays more than ${usd(deductible.in.individual)} toward the deductible, and the family together no more than ${usd(deductible.in.family)}. Priya has met her own deductible with bills of ${usd(family[0]!.bills)}. With the ${usd(family[1]!.bills)} of Daniel and the ${usd(family[2]!.bills)} of Mira the family deductible of ${usd(family.reduce((sum, person) => sum + person.bills, 0))} is met: from then on the plan pays its share for everyone in the family.`,
    ),
  ],
};

const authorization: Chapter = {
  title: 'Networks and prior authorization',
  columns: 1,
  blocks: [
    h2('Finding a network provider'),
    p(
      `The provider directory at ${contacts.site}/find-care lists physicians, clinics, hospitals, laboratories and pharmacies of the Fernhollow network. It is updated every two weeks. Ask the office when you make an appointment whether it is in the network of the ${plan.name}, because one clinic may have physicians inside and outside of it. If the directory was wrong on the day on which you looked, we pay the claim as in-network care.`,
    ),
    h2('When out-of-network care is paid as in-network'),
    ul(
      'emergency care, until your condition is stable and you can be moved safely;',
      'anesthesia, radiology, pathology and other services that you could not choose, at an in-network hospital or surgery center;',
      'air ambulance;',
      'care that no in-network provider within 50 miles can give, if we agreed to it in advance;',
      'the first 90 days after your provider has left the network, if you are pregnant, terminally ill or in the middle of a course of treatment.',
    ),
    p(
      'In these cases the provider may not send you a balance bill. If you receive one, do not pay it: call Member Services.',
    ),
    h2('Prior authorization'),
    p(
      `Some services need our agreement before you receive them. We review whether the service is medically necessary and covered. An in-network provider asks for the authorization, and you owe nothing if the provider forgets to. **If you use an out-of-network provider, you are responsible for asking**: call ${contacts.priorAuthorization} at least ${priorAuthorization.noticeDays} business days before the service. An authorization is valid for ${priorAuthorization.validDays} days.`,
    ),
    table(
      'Services that need prior authorization',
      [
        { title: 'Service', width: 40 },
        { title: 'In-network', group: 'Who asks', width: 17 },
        { title: 'Out-of-network', group: 'Who asks', width: 20 },
        { title: 'If it was not asked for (out-of-network)', width: 36 },
      ],
      [
        [
          'Planned hospital admission',
          'Provider',
          'You',
          `Payment is reduced by ${usd(priorAuthorization.hospitalPenalty)} for each stay`,
        ],
        [
          'Skilled nursing or rehabilitation facility',
          'Provider',
          'You',
          `Payment is reduced by ${usd(priorAuthorization.hospitalPenalty)} for each stay`,
        ],
        ['MRI, CT and PET scans, outside of an emergency', 'Provider', 'You', 'Not paid'],
        ['Outpatient surgery in a hospital', 'Provider', 'You', 'Not paid'],
        ['Transplants and evaluation for them', 'Provider', 'Not covered', 'Not covered'],
        ['Bariatric surgery', 'Provider', 'Not covered', 'Not covered'],
        ['Gene and cell therapy', 'Provider', 'Not covered', 'Not covered'],
        ['Home health care and infusion', 'Provider', 'You', 'Not paid'],
        ['Medical equipment above $1,000', 'Provider', 'You', 'Not paid'],
        ['Genetic tests', 'Provider', 'You', 'Not paid'],
        ['Sleep studies in a laboratory', 'Provider', 'You', 'Not paid'],
        [
          'Residential or partial hospital programs',
          'Provider',
          'You',
          `Payment is reduced by ${usd(priorAuthorization.hospitalPenalty)} for each stay`,
        ],
        ['Fertility treatment', 'Provider', 'Not covered', 'Not covered'],
        ['Specialty drugs', 'Provider', 'You', 'Not paid'],
      ],
    ),
    h2('Emergencies and childbirth'),
    p(
      `Emergency care never needs prior authorization. If you are admitted to an out-of-network hospital in an emergency, you, the hospital or a family member should call us within ${priorAuthorization.emergencyNoticeHours} hours or as soon as reasonably possible. A hospital stay for childbirth needs no authorization for up to 48 hours after a vaginal delivery and 96 hours after a cesarean delivery.`,
    ),
    h2('How a review works'),
    ol(
      'Your provider sends the request with the medical records that support it.',
      'A nurse compares the request with published clinical guidelines. You may ask for the guideline free of charge.',
      'If the nurse cannot approve the request, a physician of the same specialty decides. Only a physician can say no.',
      'You and your provider are told the decision in writing, with the reason and your right to appeal.',
    ),
    note(
      'An authorization is not a promise of payment',
      'It confirms that a service is medically necessary. Payment also depends on whether you are still covered on the day of the service, and your deductible, copay and coinsurance apply.',
    ),
  ],
};

export const payingChapters: Chapter[] = [howThePlanPays, authorization];
