import { readFileSync } from 'node:fs';
import { parseFile } from '../parsing/parse-file.js';
import { makePassages } from '../passages/make-passages.js';
import type { Passage } from '../../rag/index.js';
import type { Fact, Insight } from './fact.js';
import { InsightCollector } from './insight-collector.js';
import { inOrder, passage, row } from './spec-passages.js';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

function insightOf(...passages: Passage[]): Insight {
  const collector = new InsightCollector();
  for (const each of inOrder(passages)) collector.add(each);
  return collector.result();
}

interface Glance {
  insight: Insight;
  passages: Passage[];
}

/** Reading a booklet takes seconds, so each file is read once. */
const glances = new Map<string, Promise<Glance>>();

function glanceAt(file: string, mediaType: string): Promise<Glance> {
  const known = glances.get(file) ?? readGlance(file, mediaType);
  glances.set(file, known);
  return known;
}

async function readGlance(file: string, mediaType: string): Promise<Glance> {
  const document = await parseFile(new Uint8Array(readFileSync(file)), mediaType);
  const passages = makePassages(document).map((each) => ({
    ...each,
    id: `${each.ordinal}`,
    documentId: file,
  }));
  const collector = new InsightCollector();
  for (const each of passages) collector.add(each);
  return { insight: collector.result(), passages };
}

const brief = ({ key, service, network, person, value }: Fact) =>
  [key, service, network, person, value].filter((part) => part !== null).join(' ');

const of = (insight: Insight, key: Fact['key']) =>
  insight.facts.filter((fact) => fact.key === key).map((fact) => brief(fact));

describe('the facts of a plan', () => {
  it('are read from a cell that names networks and persons in a sentence', () => {
    const cells = {
      Answers:
        'For network providers $2,500 individual / $5,000 family; for out-of-network providers $4,000 individual / $8,000 family',
      'Why This Matters': 'You may pay $9,999 more.',
    };
    expect(
      of(insightOf(row('What is the out-of-pocket limit for this plan?', cells)), 'out_of_pocket_limit'),
    ).toEqual([
      'out_of_pocket_limit in individual $2,500',
      'out_of_pocket_limit in family $5,000',
      'out_of_pocket_limit out individual $4,000',
      'out_of_pocket_limit out family $8,000',
    ]);
  });

  it('are read from rows and columns that name them', () => {
    const insight = insightOf(
      row('Deductible, one person', { 'In-network': '$1,500', 'Out-of-network': '$3,500' }),
      row('Deductible, family', { 'In-network': '$3,000', 'Out-of-network': '$7,000' }),
    );
    expect(of(insight, 'deductible')).toEqual([
      'deductible in individual $1,500',
      'deductible out individual $3,500',
      'deductible in family $3,000',
      'deductible out family $7,000',
    ]);
  });

  it('are read from sentences where no table has them', () => {
    const text =
      'The deductible is what you pay before the plan begins to pay. For in-network care it is $1,500 for one person and $3,000 for a family.';
    expect(of(insightOf(passage(text, { headingPath: ['The deductible'] })), 'deductible')).toEqual([
      'deductible in individual $1,500',
      'deductible in family $3,000',
    ]);
  });

  it('of a table win over those of a sentence', () => {
    const insight = insightOf(
      passage('The deductible is $900 for one person in the network.', { headingPath: ['The deductible'] }),
      row('Deductible, one person', { Network: '$1,500' }),
    );
    expect(insight.facts.find((fact) => fact.key === 'deductible' && fact.network === 'in')?.value).toBe(
      '$1,500',
    );
  });

  it.each([
    ['an example', ['About these Coverage Examples']],
    ['a benefit of its own', ['Dental rider']],
  ])('are not the sums of %s', (_, headingPath) => {
    const example = { ...row('Deductible', { Network: '$500' }), headingPath };
    expect(of(insightOf(example), 'deductible')).toEqual([]);
  });

  it.each([
    ['Primary care visit to treat an injury or illness', null, 'primary_care_visit'],
    ['Specialist visit', null, 'specialist_visit'],
    ['Facility fee (e.g., hospital room)', 'If you have a hospital stay', 'hospital_facility'],
    [
      'Facility fee (e.g., ambulatory surgery center)',
      'If you have outpatient surgery',
      'outpatient_surgery_facility',
    ],
    ['Office visits', 'If you are pregnant', 'prenatal_visit'],
    ['Non-preferred brand drugs (Tier 3)', null, 'non_preferred_brand_drugs'],
    ['Emergency medical transportation', null, 'emergency_transport'],
  ])('name the service of "%s" in the group %j', (label, group, service) => {
    const insight = insightOf(
      row(label, { 'You pay > In-network': '$35 copay', 'You pay > Out-of-network': '40%' }, group),
    );
    expect(of(insight, 'service_cost')).toEqual([
      `service_cost ${service} in $35 copay`,
      `service_cost ${service} out 40%`,
    ]);
  });

  it('tell no charge from not covered', () => {
    const insight = insightOf(
      row('Urgent care', { 'In-network': 'No charge', 'Out-of-network': 'Not covered' }),
    );
    expect(insight.facts.map(({ value, amount }) => [value, amount])).toEqual([
      ['No charge', { amount: 0, unit: 'USD' }],
      ['Not covered', null],
    ]);
  });

  it('have as exclusions the items of lists that say so, and not those of the list after it', () => {
    const text =
      'Services Your Plan Generally Does NOT Cover (Check your policy.)\n• Cosmetic surgery\n• Long-term care\n\n' +
      'Other Covered Services (Limitations may apply.)\n• Acupuncture';
    const insight = insightOf(passage(text, { headingPath: ['Excluded Services & Other Covered Services'] }));
    expect(of(insight, 'exclusion')).toEqual(['exclusion Cosmetic surgery', 'exclusion Long-term care']);
  });

  it('have phone numbers with whose they are', () => {
    const text =
      'Call Member Services at 612-555-0142, or the nurse line at (612) 555-0117. By fax: 612-555-0144.';
    expect(insightOf(passage(text)).facts.map(({ label, value }) => [label, value])).toEqual([
      ['Member Services', '612-555-0142'],
      ['nurse line', '(612) 555-0117'],
      ['fax', '612-555-0144'],
    ]);
  });

  it.each([
    ['Coverage Period: 01/01/2025 – 12/31/2025', '2025-01-01', '2025-12-31'],
    ['In effect from January 1, 2026 to December 31, 2026', '2026-01-01', '2026-12-31'],
    ['Policy period 2026-07-01 through 2027-06-30', '2026-07-01', '2027-06-30'],
  ])('have the days of "%s"', (text, from, to) => {
    expect(insightOf(passage(text)).facts).toMatchObject([{ key: 'period', from, to }]);
  });

  it.each(['Coverage Period: 13/45/2025 – 12/31/2026', 'from January 5, 2026 to January 1, 2026'])(
    'have no days where there are none: %s',
    (text) => {
      expect(of(insightOf(passage(text)), 'period')).toEqual([]);
    },
  );

  it('stand word for word in their passages', async () => {
    const { insight, passages } = await glanceAt('demo/samples/benefits-booklet.pdf', 'application/pdf');
    const texts = new Map(passages.map(({ id, text }) => [id, text]));
    expect(insight.facts.length).toBeGreaterThan(60);
    for (const { value, source } of insight.facts)
      expect(texts.get(source.passageId)!.slice(source.start, source.end)).toBe(value);
    for (const { text, source } of insight.summary)
      expect(texts.get(source.passageId)!.slice(source.start, source.end)).toBe(text);
  }, 60_000);
});

describe('the glance at a document', () => {
  it('finds in the sample booklet its plan, insurer, year, deductibles and limits', async () => {
    const { insight } = await glanceAt('demo/samples/benefits-booklet.pdf', 'application/pdf');
    expect(insight.kind).toBe('plan_booklet');
    expect(of(insight, 'plan_name')).toEqual(['plan_name Cedar 1500 PPO']);
    expect(of(insight, 'insurer')).toEqual(['insurer Fernhollow Mutual Health']);
    expect(of(insight, 'period')).toEqual(['period January 1, 2026 to December 31, 2026']);
    expect(of(insight, 'deductible').sort()).toEqual([
      'deductible in family $3,000',
      'deductible in individual $1,500',
      'deductible out family $7,000',
      'deductible out individual $3,500',
    ]);
    expect(of(insight, 'out_of_pocket_limit')).toHaveLength(4);
  }, 60_000);

  it('takes a letter about a claim for what it is, and its sums not for those of the plan', async () => {
    const { insight } = await glanceAt('demo/samples/claim-letter.docx', DOCX);
    expect(['explanation_of_benefits', 'claim_letter']).toContain(insight.kind);
    expect(of(insight, 'service_cost')).toEqual([]);
    expect(of(insight, 'deductible')).toEqual([]);
    expect(of(insight, 'plan_name')).toEqual(['plan_name Cedar 1500 PPO']);
  });

  it('knows a card by its numbers', () => {
    const text = 'Member ID FHM 7731 4402\nGroup number QI-20417\nRxBIN 004336 RxGRP RX7731 RxPCN ADV';
    expect(insightOf(passage(text)).kind).toBe('id_card');
  });

  it('knows nothing of what it does not know', () => {
    const insight = insightOf(
      passage('The rabbit ran across the meadow and was not seen again by anybody that day.'),
    );
    expect(insight).toMatchObject({ kind: 'other', facts: [] });
    expect(insight.summary.map(({ text }) => text)).toEqual([
      'The rabbit ran across the meadow and was not seen again by anybody that day.',
    ]);
  });

  it('says in its summary nothing twice', () => {
    const text = 'The plan pays for physiotherapy after the deductible has been met by the member.';
    expect(insightOf(passage(text), passage(text)).summary).toHaveLength(1);
  });
});
