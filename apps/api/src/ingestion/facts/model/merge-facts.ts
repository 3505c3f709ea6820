import { type Fact, type FactKey, isSaidBetter, slotOf, worthOf } from '../fact.js';

/** What is contradicted is less sure. */
const CONTRADICTED = 0.7;
const SUREST = 0.99;
const MANY: readonly FactKey[] = ['exclusion', 'phone'];
const NAMES: readonly FactKey[] = ['plan_name', 'insurer'];

/**
 * Puts the facts of a model, all of which stand in the document, beside those of the rules:
 *
 * - Both say the same: the rules' fact stays with its place, and is surer.
 * - They contradict each other: the surer one stays, less sure than it was; of two that are as sure, that of the rules.
 *   A model is surer than rules for sentences, and never surer than those for tables.
 * - Only one says it: it stays, unless another says the same thing more closely (which network, which person).
 */
export function mergeFacts(rules: readonly Fact[], read: readonly Fact[]): Fact[] {
  const merged = [...rules];
  const slots = new Set<string>();
  for (const fact of read) {
    // A model that contradicts itself is believed the first time.
    if (slots.has(slotOf(fact))) continue;
    slots.add(slotOf(fact));
    const at = merged.findIndex((other) => isAboutTheSame(other, fact));
    const other = merged[at];
    if (other) merged[at] = other.foundBy === 'model' ? other : either(other, fact);
    else if (!merged.some((each) => isCloser(each, fact))) merged.push(fact);
  }
  return merged.filter((fact) => !isSaidBetter(fact, merged));
}

/** Of what a plan has many of, the same words in other borders are the same thing. */
function isAboutTheSame(one: Fact, other: Fact): boolean {
  if (one.key !== other.key) return false;
  return MANY.includes(one.key) ? isSame(one, other) : slotOf(one) === slotOf(other);
}

function either(rule: Fact, fact: Fact): Fact {
  if (isSame(rule, fact)) {
    const confidence = Math.min(SUREST, 1 - (1 - rule.confidence) * (1 - fact.confidence));
    return { ...rule, confidence: rounded(confidence), foundBy: 'both' };
  }
  const surer = fact.confidence > rule.confidence ? fact : rule;
  return { ...surer, confidence: rounded(surer.confidence * CONTRADICTED) };
}

function isSame(one: Fact, other: Fact): boolean {
  const [a, b] = [worthOf(one), worthOf(other)];
  if (one.key === 'phone') return digitsOf(a) === digitsOf(b);
  const mayBePart = one.key === 'exclusion' || NAMES.includes(one.key);
  return a === b || (mayBePart && (a.includes(b) || b.includes(a)));
}

const digitsOf = (phone: string) => phone.replace(/\D/g, '').slice(-10);

/** Says for which network and person what the other leaves open. */
function isCloser(one: Fact, other: Fact): boolean {
  const isMoreSaid =
    (other.network === null && one.network !== null) || (other.person === null && one.person !== null);
  const agrees =
    (other.network === null || one.network === other.network) &&
    (other.person === null || one.person === other.person);
  return one.key === other.key && one.service === other.service && isMoreSaid && agrees;
}

const rounded = (confidence: number) => Math.round(confidence * 100) / 100;
