import { findVerbatim, type Passage, type PassageCell } from '../../../rag/index.js';
import { amountOf, amountsIn, networkOf, networksIn, personsIn } from '../amounts.js';
import { type Amount, type Fact, factAt } from '../fact.js';
import { NOT_THE_PLAN, YEARLY } from '../rules/costs.js';
import { EXCLUDES } from '../rules/exclusions.js';
import { PHONE } from '../rules/phones.js';
import { periodIn } from '../rules/plan.js';
import { ReadFact } from './fact-form.js';

/** Why something that a model wrote is no fact; a label of a metric. */
export type Dropped =
  /** It has not the form that was asked for. */
  | 'invalid'
  | 'unknown-passage'
  /** Its value does not stand in the passage that it names. */
  | 'ungrounded'
  /** The value stands there, but the passage does not say that it is what the model says. */
  | 'unsupported';

/** A model that reads well is surer than a rule for sentences and less sure than one for tables. */
const MODEL_CONFIDENCE = 0.75;
const LONGEST_NAME = 100;
const LONGEST_VALUE = 300;

/**
 * What stays of a fact that a model wrote down: its value as it stands in the passage that it names, and of the rest only
 * what that passage says, too. What a value comes to is worked out here.
 *
 * @param passages as the model was given them: it knows the first as 1
 */
export function groundFact(read: unknown, passages: readonly Passage[]): Fact | Dropped {
  const parsed = ReadFact.safeParse(read);
  if (!parsed.success) return 'invalid';
  const fact = parsed.data;
  const passage = passages[fact.passage - 1];
  if (!passage) return 'unknown-passage';
  const found = findValue(fact, passage);
  if (!found) return 'ungrounded';
  const said = `${passage.headingPath.join('\n')}\n${passage.text}`;
  const particulars = particularsOf(fact, passage.text.slice(found.start, found.end), said, passage);
  if (!particulars) return 'unsupported';
  const { span = [0, found.end - found.start], ...rest } = particulars;
  return factAt(passage, [found.start + span[0], found.start + span[1]], {
    key: fact.key,
    network: networkAt(fact, found.cell, said),
    person: fact.person && personsIn(said).has(fact.person) ? fact.person : null,
    confidence: MODEL_CONFIDENCE,
    foundBy: 'model',
    ...rest,
  });
}

interface FoundValue {
  start: number;
  end: number;
  cell?: PassageCell;
}

/** In a row first in the cells of the network that the model names: the same sum often stands in several. */
function findValue({ value, network }: ReadFact, { text, row }: Passage): FoundValue | undefined {
  if (value.length > LONGEST_VALUE) return undefined;
  const cells = (row?.cells ?? []).toSorted((a, b) => rank(a, network) - rank(b, network));
  for (const cell of cells) {
    const found = findIn(value, cell.text);
    if (found) return { start: cell.start + found.start, end: cell.start + found.end, cell };
  }
  return findIn(value, text);
}

const rank = ({ header }: PassageCell, network: ReadFact['network']) =>
  network !== null && networkOf(header) === network ? 0 : 1;

/** Word for word but for white space, letter case and typography; a sum of money may be written in another way. */
function findIn(value: string, text: string): { start: number; end: number } | undefined {
  const sum = sumIn(value);
  const found = sum && amountsIn(text).find(({ amount, unit }) => amount === sum.amount && unit === sum.unit);
  return found ?? findVerbatim(value, text);
}

/** When the value is a sum of money and nothing else. */
function sumIn(value: string): Amount | undefined {
  const money = value
    .trim()
    .replace(/^(?:US\$|USD)\s*/i, '$')
    .replace(/\s*(?:USD|dollars)$/i, '')
    .replace(/^(?=\d[\d,.]*$)/, '$');
  const [sum] = amountsIn(money);
  return sum && sum.start === 0 && sum.end === money.length ? sum : undefined;
}

type Particulars = Partial<Pick<Fact, 'service' | 'label' | 'amount' | 'from' | 'to'>> & {
  /** The part of the value that is kept. */
  span?: [number, number];
};

/** What the value is and comes to; undefined when the passage does not say that it is of this kind. */
function particularsOf(
  { key, service, label }: ReadFact,
  value: string,
  said: string,
  passage: Passage,
): Particulars | undefined {
  const labelled = label && findVerbatim(label, said) ? label.trim() : null;
  switch (key) {
    case 'deductible':
    case 'out_of_pocket_limit': {
      const sums = amountsIn(value).filter(({ unit }) => unit === 'USD');
      const { names } = YEARLY.find((yearly) => yearly.key === key)!;
      const isOfPlan = !passage.headingPath.some((heading) => NOT_THE_PLAN.test(heading));
      if (sums.length !== 1 || !names.test(said) || !isOfPlan) return undefined;
      const [{ amount, unit, start, end }] = sums as [(typeof sums)[0]];
      return { amount: { amount, unit }, label: labelled, span: [start, end] };
    }
    case 'service_cost': {
      const isCost = /\d|\bno\b|\bnot\b|\bfree\b/i.test(value);
      return service && labelled && isCost
        ? { service, label: labelled, amount: amountOf(value) }
        : undefined;
    }
    case 'period':
      return periodIn(value);
    case 'exclusion':
      return EXCLUDES.test(said) ? {} : undefined;
    case 'phone':
      return value.replace(PHONE, '') === '' ? { label: labelled } : undefined;
    default:
      return value.length <= LONGEST_NAME && !value.includes('\n') ? {} : undefined;
  }
}

/** A column's header knows better than any model; elsewhere the passage must name the network. */
function networkAt({ network }: ReadFact, cell: PassageCell | undefined, said: string): Fact['network'] {
  const ofColumn = cell ? networkOf(cell.header) : null;
  if (ofColumn) return ofColumn;
  return network && networksIn(said).has(network) ? network : null;
}
