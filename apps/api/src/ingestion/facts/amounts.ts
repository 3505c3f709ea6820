import type { Amount, Network, Person } from './fact.js';

export interface FoundAmount extends Amount {
  /** `text.slice(start, end)`, such as `$1,500` or `20%`. */
  start: number;
  end: number;
}

const AMOUNT = /\$\s?(\d{1,3}(?:,\d{3})+|\d+)(\.\d{1,2})?|(\d{1,3}(?:\.\d+)?)\s?%/g;

/** Sums of money and percentages, in their order. */
export function amountsIn(text: string): FoundAmount[] {
  return [...text.matchAll(AMOUNT)].map((match) => {
    const [all, dollars, cents = '', percent] = match;
    const amount = dollars === undefined ? Number(percent) : Number(dollars.replaceAll(',', '') + cents);
    return {
      amount,
      unit: dollars === undefined ? 'percent' : 'USD',
      start: match.index,
      end: match.index + all.length,
    };
  });
}

/** "No charge" is nothing to pay; "not covered" is no amount at all. */
export function amountOf(text: string): Amount | null {
  const found = amountsIn(text);
  if (found.length === 1) return { amount: found[0]!.amount, unit: found[0]!.unit };
  return found.length === 0 && /\bno (?:charge|cost)\b|\bfree of charge\b/i.test(text)
    ? { amount: 0, unit: 'USD' }
    : null;
}

const NETWORKS =
  /\b(out[- ]of[- ]network|non[- ]?network|non[- ]participating)|\b(in[- ]network|network|participating|preferred provider)/gi;

export function networksIn(text: string): Set<Network> {
  return new Set([...text.matchAll(NETWORKS)].map(([, out]) => (out ? 'out' : 'in')));
}

/** Which network a header or a clause is about; null when it names none, or both. */
export function networkOf(text: string): Network | null {
  const named = networksIn(text);
  return named.size === 1 ? [...named][0]! : null;
}

/** The network that was named last before a place in a text. */
export function networkBefore(text: string, at: number): Network | null {
  const last = [...text.slice(0, at).matchAll(NETWORKS)].at(-1);
  return last ? (last[1] ? 'out' : 'in') : null;
}

const PERSONS =
  /\b(individual|one person|per person|each person|per member|self[- ]only|single)\b|\b(famil(?:y|ies))\b/gi;

export function personsIn(text: string): Set<Person> {
  return new Set([...text.matchAll(PERSONS)].map(([, one]) => (one ? 'individual' : 'family')));
}

export function personOf(text: string): Person | null {
  const named = personsIn(text);
  return named.size === 1 ? [...named][0]! : null;
}

/** For whom an amount is: "$500 / individual or $1,000 / family" says so behind it, before the next amount. */
export function personAfter(text: string, end: number, next: number): Person | null {
  const first = [...text.slice(end, next).matchAll(PERSONS)][0];
  return first ? (first[1] ? 'individual' : 'family') : null;
}
