import type { RetrievedPassage } from '../../retrieval/retriever.js';

/** Passages for specs, as the parser would cut them. */
interface Place {
  page?: number;
  headingPath?: string[];
  documentId?: string;
  documentTitle?: string;
  score?: number;
}

interface Row extends Place {
  group?: string;
  caption?: string;
  label: string;
  /** Header and text of each cell. */
  cells: Array<[header: string, text: string]>;
}

/** Numbers passages in the order in which they are made. */
export class SpecDocument {
  readonly passages: RetrievedPassage[] = [];

  prose(text: string, place: Place = {}): this {
    return this.add('prose', text, place, null);
  }

  row({ group, caption, label, cells, ...place }: Row): this {
    let text = [group, label].filter(Boolean).join(' — ');
    const written = cells.map(([header, cell]) => {
      text += ` | ${header ? `${header}: ` : ''}`;
      const start = text.length;
      text += cell;
      return { header, text: cell, start, end: text.length, box: { x: 0, y: 0, width: 1, height: 0.1 } };
    });
    const row = { caption: caption ?? null, group: group ?? null, label, cells: written };
    return this.add('table-row', text, place, row);
  }

  private add(
    kind: RetrievedPassage['kind'],
    text: string,
    { page = 1, headingPath = [], documentId = 'plan', documentTitle = 'Plan', score = 0.5 }: Place,
    row: RetrievedPassage['row'],
  ): this {
    const ordinal = this.passages.length;
    this.passages.push({
      ...{
        id: `${documentId}-${ordinal}`,
        documentId,
        documentTitle,
        documentVersion: 1,
        ordinal,
        kind,
        text,
        headingPath,
        page,
        row,
      },
      ...{ box: null, score, lexicalScore: score, semanticScore: null },
    });
    return this;
  }
}

const PAY_IN = 'What You Will Pay > Network Provider (You will pay the least)';
const PAY_OUT = 'What You Will Pay > Out-of-Network Provider (You will pay the most)';
const LIMITS = 'Limitations and Exceptions';

/** A benefit row with the usual three columns. */
export const benefit = (
  label: string,
  inside: string,
  outside: string,
  limits = 'None',
  group?: string,
): Row => ({
  label,
  cells: [
    [PAY_IN, inside],
    [PAY_OUT, outside],
    [LIMITS, limits],
  ],
  ...(group && { group }),
  page: 2,
});

/** A small made-up plan with the usual parts: questions with answers, benefits, exclusions, prose. */
export const samplePlan = (): RetrievedPassage[] =>
  new SpecDocument()
    .row({
      label: 'What is the overall deductible?',
      cells: [
        ['Answers', '$750 / individual or $1,500 / family'],
        [
          'Why This Matters',
          'Generally, you must pay all of the costs up to the deductible amount before this plan begins to pay.',
        ],
      ],
    })
    .row({
      label: 'What is the out-of-pocket limit?',
      cells: [
        [
          'Answers',
          'For network providers $3,000 individual; for out-of-network providers $6,000 individual',
        ],
        [
          'Why This Matters',
          'The out-of-pocket limit is the most you could pay in a year for covered services.',
        ],
      ],
    })
    .row({
      label: 'Do you need a referral to see a specialist?',
      cells: [
        ['Answers', 'No.'],
        ['Why This Matters', 'You can see the specialist you choose without a referral.'],
      ],
    })
    .row(benefit('Primary care visit to treat an injury or illness', '$30 copay/visit', '35% coinsurance'))
    .row(
      benefit(
        'Specialist visit',
        '$55 copay/visit',
        '35% coinsurance',
        'Preauthorization is required. Without it benefits could be reduced by half.',
      ),
    )
    .row(benefit('Emergency room care', '$250 copay/visit', '$250 copay/visit'))
    .row(
      benefit(
        'Rehabilitation services',
        '15% coinsurance',
        '35% coinsurance',
        '40 visits/year. Includes physical therapy.',
      ),
    )
    .row(
      benefit(
        'Outpatient services',
        '$30 copay/visit',
        '35% coinsurance',
        'None',
        'If you need mental health services',
      ),
    )
    .row(
      benefit(
        'Inpatient services',
        '15% coinsurance',
        '35% coinsurance',
        'None',
        'If you need mental health services',
      ),
    )
    .row(
      benefit('Children’s glasses', '15% coinsurance', 'Not covered', 'Limited to one pair of glasses/year'),
    )
    .prose(
      'Services Your Plan Generally Does NOT Cover:\n• Cosmetic surgery\n• Infertility treatment\n• Routine foot care',
      { page: 4, headingPath: ['Excluded Services'] },
    )
    .prose('Other Covered Services:\n• Acupuncture\n• Hearing aids', {
      page: 4,
      headingPath: ['Excluded Services'],
    })
    .prose('For questions call member services at 1-800-555-0142. Letters are answered within 30 days.', {
      page: 4,
      headingPath: ['Contact'],
    })
    .prose(
      'Your Grievance and Appeals Rights: There are agencies that can help if you have a complaint about a denied claim. You may appeal every denial.',
      { page: 4, headingPath: ['Your rights'] },
    )
    .prose(
      'Appeal. A request that we review a decision.\n\nRider. Optional coverage with rules of its own.',
      { page: 5, headingPath: ['Glossary'] },
    )
    .prose('Pia pays the deductible of $750 and stops there.', {
      page: 5,
      headingPath: ['Examples', 'Pia has a baby'],
    }).passages;
