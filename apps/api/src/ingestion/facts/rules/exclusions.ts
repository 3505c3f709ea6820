import type { Passage } from '../../../rag/index.js';
import { type Fact, factAt } from '../fact.js';

/** Says that something is not paid for. */
export const EXCLUDES =
  /\b(?:does|do|will) not (?:cover|pay)|\bnot covered\b|\bexclu(?:ded|sions?)\b|\bno benefits (?:are|will be) paid\b/i;
const BULLET = /^[ \t]*(?:[•▪–*-]|\d{1,2}[.)])[ \t]+/;
const LONGEST = 300;
/** A sentence in running text that ends without a colon does not introduce the list below it. */
const LONGEST_TITLE_WORDS = 14;

/** The items of lists of what a plan does not pay for. */
export function exclusions(passage: Passage): Fact[] {
  if (passage.row) return [];
  const heading = passage.headingPath.at(-1) ?? '';
  const facts: Fact[] = [];
  // What a list is about is said by the line above it, and only without one by the heading.
  let intro: string | null = null;
  for (const { text, start } of linesOf(passage.text)) {
    const bullet = BULLET.exec(text);
    if (!bullet) {
      if (introduces(text)) intro = text;
      continue;
    }
    if (!EXCLUDES.test(intro ?? heading)) continue;
    const end = start + Math.min(text.length, LONGEST);
    facts.push(
      factAt(passage, [start + bullet[0].length, end], {
        key: 'exclusion',
        confidence: intro ? 0.9 : 0.7,
      }),
    );
  }
  return facts;
}

function introduces(line: string): boolean {
  const text = line.trim();
  return text !== '' && (/[:)]$/.test(text) || text.split(/\s+/).length <= LONGEST_TITLE_WORDS);
}

function linesOf(text: string): { text: string; start: number }[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const at = start;
    start += line.length + 1;
    return { text: line, start: at };
  });
}
