import type { Passage } from '../../rag/index.js';
import { type DocumentKind, type Fact, type Insight, isSaidBetter, slotOf } from './fact.js';
import { kindOf } from './kind.js';
import { serviceCosts, yearlyCosts } from './rules/costs.js';
import { exclusions } from './rules/exclusions.js';
import { phones } from './rules/phones.js';
import { insurers, periods, planNames } from './rules/plan.js';
import { Summariser } from './summary.js';

/** What a document is shows on its first pages. */
const KIND_PASSAGES = 40;
const KIND_CHARACTERS = 30_000;
/** Of one document; what a list would hold beyond is no glance any more. */
const MOST_OF_A_KIND = 200;
/** What is contradicted elsewhere in the same document is less sure. */
const CONTRADICTED = 0.7;
/** Less is a guess. */
const LEAST_CONFIDENCE = 0.4;
/** Letters and statements tell of one claim: their sums are not those of the plan. */
const PLAN_RULES = [yearlyCosts, serviceCosts, exclusions];
const RULES = [planNames, insurers, periods, phones];

export const tellsOfPlan = (kind: DocumentKind) =>
  kind === 'summary_of_benefits' || kind === 'plan_booklet' || kind === 'id_card' || kind === 'other';

interface Noted {
  fact: Fact;
  times: number;
}

/** Goes through a document's passages once, in their order, and says what it is and says. */
export class InsightCollector {
  private readonly bySlot = new Map<string, Map<string, Noted>>();
  private readonly planFacts: Fact[] = [];
  private readonly summariser = new Summariser();
  private opening = '';
  private passages = 0;
  private words = 0;

  add(passage: Passage): void {
    this.passages += 1;
    this.words += passage.text.match(/\S+/g)?.length ?? 0;
    if (this.passages <= KIND_PASSAGES && this.opening.length < KIND_CHARACTERS)
      this.opening += `${passage.headingPath.join('\n')}\n${passage.text}\n`;
    this.summariser.add(passage);
    for (const rule of RULES) for (const fact of rule(passage)) this.note(fact);
    for (const rule of PLAN_RULES) this.planFacts.push(...rule(passage));
  }

  result(): Insight {
    const { kind, confidence } = kindOf(this.opening, this.words);
    if (tellsOfPlan(kind)) for (const fact of this.planFacts) this.note(fact);
    return {
      kind,
      kindConfidence: confidence,
      summary: this.summariser.result(),
      facts: this.bestFacts(),
      foundBy: 'rules',
      reading: { outcome: 'off', dropped: 0 },
    };
  }

  private note(fact: Fact): void {
    const slot = slotOf(fact);
    const values = this.bySlot.get(slot) ?? new Map<string, Noted>();
    this.bySlot.set(slot, values);
    const value = fact.amount ? `${fact.amount.amount} ${fact.amount.unit}` : fact.value.toLowerCase();
    const known = values.get(value);
    if (!known) values.set(value, { fact, times: 1 });
    else
      values.set(value, {
        fact: known.fact.confidence >= fact.confidence ? known.fact : fact,
        times: known.times + 1,
      });
  }

  private bestFacts(): Fact[] {
    const counts = new Map<string, number>();
    const best = [...this.bySlot.values()].map(surest);
    return best
      .filter((fact) => fact.confidence >= LEAST_CONFIDENCE && !isSaidBetter(fact, best))
      .filter(({ key }) => {
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return counts.get(key)! <= MOST_OF_A_KIND;
      });
  }
}

/** The surest value of a slot, then the one that is said most often, then the first. */
function surest(values: ReadonlyMap<string, Noted>): Fact {
  const [best, rival] = [...values.values()].sort(
    (a, b) => b.fact.confidence - a.fact.confidence || b.times - a.times,
  );
  const isContradicted =
    rival !== undefined && rival.fact.confidence >= best!.fact.confidence && rival.times >= best!.times;
  const confidence = best!.fact.confidence * (isContradicted ? CONTRADICTED : 1);
  return { ...best!.fact, confidence: Math.round(confidence * 100) / 100 };
}
