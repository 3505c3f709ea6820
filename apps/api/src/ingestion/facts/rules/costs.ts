import type { Passage, PassageCell } from '../../../rag/index.js';
import { sentencesOf } from '../../../rag/index.js';
import { amountOf, amountsIn, networkBefore, networkOf, personAfter, personOf } from '../amounts.js';
import { type Fact, factAt, type FactKey } from '../fact.js';
import { serviceOf } from '../services.js';

/** Sums that a year is counted by, with what names them and what only mentions them. */
export const YEARLY: readonly { key: FactKey; names: RegExp; mentions: RegExp }[] = [
  {
    key: 'deductible',
    names: /\bdeductible/i,
    mentions: /before you meet|other deductible|after (?:the |your )?deductible|not apply|coinsurance|copay/i,
  },
  {
    key: 'out_of_pocket_limit',
    names: /\bout[- ]of[- ]pocket (?:limit|max)/i,
    mentions: /not included|not count|before|after/i,
  },
];

const IN_A_TABLE = 0.95;
const WITHOUT_NETWORK = 0.8;
const IN_PROSE = 0.6;

/** A column of explanations, whose sums are examples or exceptions. */
const ASIDE = /matter|good to know|limit|condition|exception|note|important|information/i;
const COST = /\$\s?\d|\d\s?%|\bno (?:charge|cost)\b|\bnot covered\b|\bfree of charge\b/i;
const COST_COLUMN = /\bpay\b|\bcost|network|copay|coinsurance|\byour share\b/i;
const LONGEST_VALUE = 200;

/** What somebody paid for something once, and sums of one benefit alone, are not those of the plan. */
export const NOT_THE_PLAN = /\bexamples?\b|\bdental\b|\bvision\b|\beye\b|\bdrugs?\b|\bprescription/i;
/** What breaking a rule costs. */
const PENALTY = /\breduced\b|\bpenalt/i;

/** Deductibles and limits of a year, in tables and in sentences about them. */
export function yearlyCosts(passage: Passage): Fact[] {
  if (passage.headingPath.some((heading) => NOT_THE_PLAN.test(heading))) return [];
  return YEARLY.flatMap((yearly) =>
    passage.row
      ? yearlyInRow(passage, passage.row.label, passage.row.cells, yearly)
      : yearlyInProse(passage, yearly),
  );
}

function yearlyInRow(
  passage: Passage,
  label: string,
  cells: readonly PassageCell[],
  { key, names, mentions }: (typeof YEARLY)[number],
): Fact[] {
  if (!names.test(label) || mentions.test(label)) return [];
  return cells
    .filter(({ header }) => !ASIDE.test(header))
    .flatMap((cell) => {
      const sums = amountsIn(cell.text).filter(({ unit }) => unit === 'USD');
      return sums.map(({ amount, unit, start, end }, i) => {
        const network = networkOf(cell.header) ?? networkBefore(cell.text, start);
        const next = sums[i + 1]?.start ?? cell.text.length;
        const person = personOf(label) ?? personAfter(cell.text, end, next);
        const confidence = IN_A_TABLE;
        return factAt(passage, [cell.start + start, cell.start + end], {
          key,
          label,
          network,
          person,
          amount: { amount, unit },
          confidence,
        });
      });
    });
}

/** "The deductible is …", and sentences under a heading that names it. */
function yearlyInProse(passage: Passage, { key, names }: (typeof YEARLY)[number]): Fact[] {
  const heading = passage.headingPath.at(-1) ?? '';
  const isAbout =
    YEARLY.filter((yearly) => yearly.names.test(heading)).every((yearly) => yearly.key === key) &&
    names.test(heading);
  return sentencesOf(passage.text).flatMap(({ start, end }) => {
    const sentence = passage.text.slice(start, end);
    const isNamed = names.test(sentence);
    if (!isNamed && !isAbout) return [];
    const sums = amountsIn(sentence).filter(({ unit }) => unit === 'USD');
    return sums.flatMap((sum, i) => {
      if (isNamed && !isAbout && !isSumOf(sentence, sum.start, names)) return [];
      const next = sums[i + 1]?.start ?? sentence.length;
      const network = networkBefore(sentence, sum.start) ?? networkOf(sentence);
      const person = personAfter(sentence, sum.end, next);
      // Without saying for whom, a sum in a sentence may be any: an example, a remainder, a fee.
      if (!person && !/\b(?:is|of)\s*$/i.test(sentence.slice(0, sum.start))) return [];
      return [
        factAt(passage, [start + sum.start, start + sum.end], {
          key,
          network,
          person,
          amount: { amount: sum.amount, unit: sum.unit },
          confidence: person ? IN_PROSE : IN_PROSE / 2,
        }),
      ];
    });
  });
}

/** The sum follows the name closely: "deductible of $1,500", "deductible is $1,500". */
function isSumOf(sentence: string, start: number, names: RegExp): boolean {
  return names.test(sentence.slice(Math.max(0, start - 60), start));
}

/** What one pays for a service, cell by cell. */
export function serviceCosts(passage: Passage): Fact[] {
  if (!passage.row) return [];
  const { label, group, cells } = passage.row;
  const service = serviceOf(label, group);
  if (!service) return [];
  return cells
    .filter(
      ({ header, text }) =>
        !ASIDE.test(header.split(' > ').at(-1)!) &&
        COST_COLUMN.test(header) &&
        COST.test(text) &&
        !PENALTY.test(text),
    )
    .map((cell) => {
      const network = networkOf(cell.header);
      const end = cell.start + Math.min(cell.text.length, LONGEST_VALUE);
      return factAt(passage, [cell.start, end], {
        key: 'service_cost',
        service,
        label,
        network,
        amount: amountOf(cell.text),
        confidence: network ? IN_A_TABLE : WITHOUT_NETWORK,
      });
    });
}
