import { type Passage, sentencesOf } from '../../rag/index.js';
import type { SummarySentence } from './fact.js';

const SENTENCES = 4;
const SHORTEST_WORDS = 8;
const LONGEST_WORDS = 45;
/** Enough to know what a document is about; a booklet says it on its first pages. */
const MOST_SENTENCES = 1_500;
/** What stands at the beginning counts up to this much more. */
const LEAD = 2;
/** Gaps of a form, and hints to other places. */
const NOTHING_SAID = /\[insert|^(?:NOTE|See|For more information|Other|To see|If you have any)\b/;
/** Sentences that share more of their words than this say the same. */
const SAME = 0.5;

interface Candidate extends SummarySentence {
  words: Set<string>;
  order: number;
}

/** The sentences that share most with the rest of the document, as they stand in it. Nothing is written anew. */
export class Summariser {
  private readonly candidates: Candidate[] = [];
  private readonly frequencies = new Map<string, number>();

  add(passage: Passage): void {
    if (passage.row || this.candidates.length >= MOST_SENTENCES) return;
    for (const { start, end } of sentencesOf(passage.text)) {
      const text = passage.text.slice(start, end);
      const words = text.match(/\S+/g)?.length ?? 0;
      if (words < SHORTEST_WORDS || words > LONGEST_WORDS || !/^[\p{Lu}\p{Lo}].*[.!?。]["”’)]?$/su.test(text))
        continue;
      if (NOTHING_SAID.test(text)) continue;
      const terms = new Set(text.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
      for (const term of terms) this.frequencies.set(term, (this.frequencies.get(term) ?? 0) + 1);
      this.candidates.push({
        text,
        words: terms,
        order: this.candidates.length,
        source: { passageId: passage.id, start, end },
      });
    }
  }

  /** In the order of the document. */
  result(): SummarySentence[] {
    const ranked = this.candidates
      .map((candidate) => ({ candidate, score: this.scoreOf(candidate) }))
      .sort((a, b) => b.score - a.score);
    const chosen: Candidate[] = [];
    for (const { candidate } of ranked) {
      if (chosen.length === SENTENCES) break;
      if (chosen.every((other) => shareOf(candidate.words, other.words) < SAME)) chosen.push(candidate);
    }
    return chosen.sort((a, b) => a.order - b.order).map(({ text, source }) => ({ text, source }));
  }

  /** Words that many sentences have, but not nearly all, are what the document is about. */
  private scoreOf({ words, order }: Candidate): number {
    const all = this.candidates.length;
    let sum = 0;
    for (const word of words) {
      const times = this.frequencies.get(word)!;
      sum += (times / all) * Math.log(all / times);
    }
    return (sum / Math.sqrt(Math.max(1, words.size))) * (1 + LEAD / (1 + order / 10));
  }
}

function shareOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  return common / Math.max(1, Math.min(a.size, b.size));
}
