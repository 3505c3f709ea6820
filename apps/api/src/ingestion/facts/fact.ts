/** What is known of a plan. `service_cost`, `exclusion` and `phone` may be there many times, the others once a slot. */
export const FACT_KEYS = [
  'plan_name',
  'insurer',
  'period',
  'deductible',
  'out_of_pocket_limit',
  'service_cost',
  'exclusion',
  'phone',
] as const;
export type FactKey = (typeof FACT_KEYS)[number];

export type Network = 'in' | 'out';
export type Person = 'individual' | 'family';

/** What a value comes to, where it is one number: dollars, or percent of the allowed amount. */
export interface Amount {
  amount: number;
  unit: 'USD' | 'percent';
}

/** Where a value stands: `passage.text.slice(start, end)`, in UTF-16 code units. */
export interface FactSource {
  passageId: string;
  start: number;
  end: number;
}

export interface Fact {
  key: FactKey;
  /** What the cost is for, in our words, so that plans can be laid side by side; only of `service_cost`. */
  service: string | null;
  /** What the document calls it, such as a row's label or whose phone it is. */
  label: string | null;
  /** null when the document makes no difference, or does not say. */
  network: Network | null;
  person: Person | null;
  /** Word for word as it stands in the document. */
  value: string;
  amount: Amount | null;
  /** First and last day, as YYYY-MM-DD; only of `period`. */
  from: string | null;
  to: string | null;
  /** 0 to 1. */
  confidence: number;
  /** Facts of documents that were assessed before models were asked do not say. */
  foundBy?: FoundBy;
  source: FactSource;
}

/** `both`: rules and a model say the same, and the place is that of the rules. */
export const FOUND_BY = ['rules', 'model', 'both'] as const;
export type FoundBy = (typeof FOUND_BY)[number];

export const DOCUMENT_KINDS = [
  'summary_of_benefits',
  'plan_booklet',
  'explanation_of_benefits',
  'claim_letter',
  'id_card',
  'other',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export interface SummarySentence {
  text: string;
  source: FactSource;
}

/** What came of letting a chat model look for facts, too. */
export const READING_OUTCOMES = [
  'off',
  /** Nothing in the document tells of a plan, so no model was asked. */
  'nothing-to-read',
  'answered',
  /** A model had read the same passages before. */
  'cached',
  'timeout',
  'unavailable',
  'rejected',
  'unusable',
  'budget-exhausted',
  'failed',
] as const;

export interface ModelReading {
  outcome: (typeof READING_OUTCOMES)[number];
  /** Facts that the model wrote and that were left out, as they do not stand in the document. */
  dropped: number;
}

/** What a document is and says in short. */
export interface Insight {
  kind: DocumentKind;
  /** 0 to 1. */
  kindConfidence: number;
  /** In the order in which they stand in the document. */
  summary: SummarySentence[];
  facts: Fact[];
  /** Who found the facts: `rules`, or the name of the chat model that found some beside them. */
  foundBy: string;
  reading: ModelReading;
}

type Given = Pick<Fact, 'key' | 'confidence'> & Partial<Fact>;

/** A fact whose value is a slice of the passage's text, without the white space around it. */
export function factAt(
  passage: { id: string; text: string },
  [start, end]: readonly [number, number],
  given: Given,
): Fact {
  const raw = passage.text.slice(start, end);
  const from = start + (raw.length - raw.trimStart().length);
  const value = raw.trim();
  return {
    service: null,
    label: null,
    network: null,
    person: null,
    amount: null,
    from: null,
    to: null,
    foundBy: 'rules',
    ...given,
    value,
    source: { passageId: passage.id, start: from, end: from + value.length },
  };
}

/** Facts of the same slot say the same thing or contradict each other. */
export function slotOf({ key, service, network, person, value }: Fact): string {
  const many = key === 'exclusion' || key === 'phone';
  return [key, service, network, person, many ? value.toLowerCase() : ''].join('|');
}

/** A sum without saying for whom, beside sums that say it. */
export function isSaidBetter({ key, network, person }: Fact, facts: readonly Fact[]): boolean {
  if (key !== 'deductible' && key !== 'out_of_pocket_limit') return false;
  return (
    (network === null || person === null) &&
    facts.some((other) => other.key === key && other.network !== null && other.person !== null)
  );
}

/** "$1,500" and "$1,500.00" are the same; words are compared without case and spaces. */
export function worthOf({ amount, from, to, value }: Fact): string {
  if (amount) return `${amount.amount} ${amount.unit}`;
  return from ? `${from} ${to}` : value.toLowerCase().replace(/\s+/g, ' ');
}
