import { claims, contacts, plan } from '../plan-figures.js';
import { type Chapter, h2, note, ol, p, small, table, ul } from './content.js';

const filing: Chapter = {
  title: 'How to file a claim',
  columns: 1,
  blocks: [
    p(
      'In-network providers file claims for you and are paid directly. You need to file a claim yourself only if an out-of-network provider or pharmacy does not do it, or if you had care abroad.',
    ),
    h2('What to send'),
    ol(
      `Print the claim form from ${contacts.site}/forms, or ask Member Services to mail it to you. Use one form per person and provider.`,
      'Attach the itemized bill. It must show the patient’s name, the provider’s name and tax number, the date and place of service, the diagnosis, and a description and price of each service.',
      'If another plan paid first, attach its explanation of benefits.',
      `Mail everything to ${contacts.claimsAddress}, or upload photographs of the pages in the member site. Keep copies; we cannot return originals.`,
    ),
    p(
      `You have **${claims.filingMonths} months from the date of service** to file a claim. A later claim is paid only if it was not reasonably possible to file it in time, for example because of a severe illness.`,
    ),
    h2('How quickly we decide'),
    p(
      'The law sets a limit for each kind of claim. The time runs from the day on which we receive the claim, even if something is missing.',
    ),
    table(
      'Time limits for claim decisions',
      [
        { title: 'Kind of claim', width: 34 },
        { title: 'We decide within', group: 'Our time', width: 20 },
        { title: 'Possible extension', group: 'Our time', width: 20 },
        { title: 'Your time to send missing information', width: 30 },
      ],
      [
        ['Urgent care, before treatment', `${claims.urgentHours} hours`, '48 hours', '48 hours'],
        ['Ongoing treatment to be extended', '24 hours', 'None', 'None'],
        [
          'Before treatment, not urgent',
          `${claims.preServiceDays} days`,
          `${claims.extensionDays} days`,
          `${claims.missingInformationDays} days`,
        ],
        [
          'After treatment',
          `${claims.postServiceDays} days`,
          `${claims.extensionDays} days`,
          `${claims.missingInformationDays} days`,
        ],
      ],
    ),
    small(
      'A claim is urgent if waiting could seriously harm your life, your health or your ability to recover, or would leave you in severe pain. If your physician says that it is urgent, we treat it as urgent.',
    ),
    h2('Your explanation of benefits'),
    p(
      'After each claim you receive an explanation of benefits. It is not a bill. It shows what the provider charged, the allowed amount, what the plan paid, what you may owe, and how much of your deductible and out-of-pocket limit you have used. Compare it with the provider’s bill before you pay.',
    ),
    table(
      'Reason codes in our letters',
      [
        { title: 'Code', width: 12 },
        { title: 'Meaning', width: 46 },
        { title: 'What you can do', width: 46 },
      ],
      [
        [
          'AA-01',
          'The charge is above the allowed amount.',
          'In-network: nothing; you do not owe the difference.',
        ],
        ['DD-02', 'The amount was applied to your deductible.', 'Pay the provider this amount.'],
        ['DU-03', 'We have received the same charge before.', 'Nothing; the first claim counts.'],
        ['IN-05', 'We need more information.', `Send it within ${claims.missingInformationDays} days.`],
        ['MN-08', 'The service was not medically necessary.', 'Ask for the guideline, and appeal.'],
        ['OC-06', 'Another plan should pay first.', 'Send us the other plan’s statement.'],
        [
          'PA-04',
          'Prior authorization was required and not obtained.',
          'Appeal with records that explain why it was not asked for.',
        ],
        ['TF-09', 'The claim was filed too late.', 'Appeal if it could not be filed in time.'],
      ],
    ),
    h2('If we paid too much'),
    p(
      `If we pay more than the plan owes, we ask for the excess within ${claims.payoutMaximumAgeMonths} months of the payment. We may deduct it from later payments to the same provider, never from your pay.`,
    ),
  ],
};

const appeals: Chapter = {
  title: 'If you disagree: appeals',
  columns: 1,
  blocks: [
    p(
      'A denial is any decision not to pay in full or not to authorize a service, and also the cancellation of coverage back to an earlier date. You may appeal every denial free of charge. You may appoint somebody to act for you, such as a relative, your physician or a lawyer.',
    ),
    h2('First appeal'),
    p(
      `You have **${claims.appealDays} days from the day on which you receive the denial** to appeal. Write to ${contacts.appealsAddress}, send a fax to ${contacts.appealsFax}, or use the member site. Say why you disagree, and add anything that supports you: medical records, a letter of your physician, photographs, articles. You may see our file and the guideline we used.`,
    ),
    p(
      'The appeal is decided by people who had no part in the first decision and do not report to those who made it. If the question is medical, they consult a physician of the right specialty. New evidence is sent to you before the decision, with time to respond.',
    ),
    h2('Second appeal'),
    p(
      `If the first appeal is not decided in your favor, you may ask for a second one within **${claims.secondAppealDays} days** of receiving the decision. You may take part in the hearing by telephone. The second appeal is voluntary: you may go to the external review directly.`,
    ),
    h2('External review'),
    p(
      `If the denial rests on a medical judgment, or is a cancellation back in time, you may ask for a review by an independent organization within **${claims.externalReviewMonths} months** after the final decision. The reviewer is assigned by lot, has no ties to us, and its decision binds us. The review costs you nothing.`,
    ),
    table(
      'Time limits for appeals',
      [
        { title: 'Step', width: 22 },
        { title: 'You ask within', width: 26 },
        { title: 'Before treatment', group: 'We decide within', width: 20 },
        { title: 'After treatment', group: 'We decide within', width: 20 },
        { title: 'Urgent', group: 'We decide within', width: 16 },
      ],
      [
        [
          'First appeal',
          `${claims.appealDays} days of the denial`,
          `${claims.preServiceAppealDays} days`,
          `${claims.postServiceAppealDays} days`,
          `${claims.expeditedHours} hours`,
        ],
        [
          'Second appeal',
          `${claims.secondAppealDays} days of the first decision`,
          `${claims.preServiceAppealDays} days`,
          `${claims.postServiceAppealDays} days`,
          'Not available',
        ],
        [
          'External review',
          `${claims.externalReviewMonths} months of the final decision`,
          `${claims.externalDecisionDays} days`,
          `${claims.externalDecisionDays} days`,
          `${claims.expeditedHours} hours`,
        ],
      ],
    ),
    h2('Urgent appeals'),
    p(
      `If your health cannot wait, call ${contacts.priorAuthorization} and say that you want an expedited appeal. It may be made by telephone, and you may ask for the external review at the same time. Treatment that we had already approved continues while the appeal is open.`,
    ),
    h2('After the appeals'),
    p(
      `When you have completed the first appeal you may go to court under federal law, within three years of the denial. You may also ask the Employee Benefits Security Administration, or the consumer assistance program of your state, for help at any time. ${plan.insurer} and ${plan.employer} may not treat you differently because you appealed.`,
    ),
    note(
      'A checklist for your appeal',
      'Your name and member number, the claim number, the date of service, the provider’s name, the reason code of our letter, what you want us to do, and why. Sign and date the letter, and keep a copy.',
    ),
    h2('Complaints about service'),
    ul(
      'If you are unhappy with a provider or with us, but no denial is involved, call Member Services. Most complaints are settled on the same day.',
      'A written complaint is acknowledged within 5 business days and answered within 30 days.',
      'Complaints about the quality of care are reviewed by a physician in confidence.',
    ),
  ],
};

export const claimChapters: Chapter[] = [filing, appeals];
