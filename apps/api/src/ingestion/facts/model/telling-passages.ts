import type { Passage } from '../../../rag/index.js';
import { PHONE } from '../rules/phones.js';
import { EXCLUDES } from '../rules/exclusions.js';

/** About 6,000 tokens: what small models still read with care, and what a document may cost. */
const MOST_CHARACTERS = 24_000;
/** What names a plan stands on the first pages. */
const FIRST_PASSAGES = 3;

interface Topic {
  tells: (passage: Passage, text: string) => boolean;
  /** Passages that are kept of it. */
  most: number;
}

const PERIOD = /coverage period|policy period|plan year|\bin effect\b|\beffective\b/i;
const NAMES = /plan name|name of (?:the )?plan|\binsurer\b|insurance company|underwritten|administered by/i;
const SUM = /\$\s?\d|\d\s?%|\bno (?:charge|cost)\b/i;
const LIST_ITEM = /^[ \t]*[•▪–*-] /m;
const COST = /\bcopay|coinsurance|\byou pay\b|\bcost|network|\bvisit/i;

const TOPICS: readonly Topic[] = [
  { tells: ({ ordinal }) => ordinal < FIRST_PASSAGES, most: FIRST_PASSAGES },
  { tells: (_, text) => NAMES.test(text), most: 3 },
  { tells: (_, text) => PERIOD.test(text), most: 3 },
  { tells: (_, text) => /deductible/i.test(text) && SUM.test(text), most: 10 },
  { tells: (_, text) => /out[- ]of[- ]pocket/i.test(text) && SUM.test(text), most: 10 },
  { tells: ({ row }, text) => SUM.test(text) && (row !== null || COST.test(text)), most: 60 },
  // Rows say "not covered" of many a thing that is covered elsewhere.
  { tells: ({ row }, text) => row === null && EXCLUDES.test(text), most: 12 },
  { tells: (_, text) => text.search(PHONE) !== -1, most: 3 },
];
/** Without one of these the first pages say nothing of a plan, and nobody is asked. */
const FIRST_TELLING_TOPIC = 1;

interface Kept {
  passage: Passage;
  weight: number;
}

/**
 * Chooses, while a document's passages go by in their order, those that facts are most likely to stand in: of every
 * topic some, rows of tables, lists and what has sums in it first, and all together not more than a model may be given.
 */
export class TellingPassages {
  private readonly kept: Kept[][] = TOPICS.map(() => []);

  add(passage: Passage): void {
    const text = `${passage.headingPath.join('\n')}\n${passage.text}`;
    for (const [i, { tells, most }] of TOPICS.entries())
      if (tells(passage, text)) keepBest(this.kept[i]!, { passage, weight: weightOf(passage) }, most);
  }

  /** In the order of the document; empty when nothing in it tells of a plan. */
  result(): Passage[] {
    if (this.kept.slice(FIRST_TELLING_TOPIC).every((kept) => kept.length === 0)) return [];
    const chosen = new Map<string, Passage>();
    let room = MOST_CHARACTERS;
    // In turns, so that the many rows of one topic leave room for the others.
    for (let rank = 0; this.kept.some((kept) => kept.length > rank); rank += 1)
      for (const kept of this.kept) {
        const passage = kept[rank]?.passage;
        if (!passage || chosen.has(passage.id) || passage.text.length > room) continue;
        chosen.set(passage.id, passage);
        room -= passage.text.length;
      }
    return [...chosen.values()].sort((a, b) => a.ordinal - b.ordinal);
  }
}

const weightOf = ({ row, text }: Passage) =>
  (row ? 2 : 0) + (SUM.test(text) ? 1 : 0) + (LIST_ITEM.test(text) ? 1 : 0);

/** Those of the same weight in the order in which they came. */
function keepBest(kept: Kept[], candidate: Kept, most: number): void {
  const at = kept.findIndex(({ weight }) => weight < candidate.weight);
  kept.splice(at === -1 ? kept.length : at, 0, candidate);
  if (kept.length > most) kept.pop();
}
