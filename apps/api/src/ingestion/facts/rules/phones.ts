import type { Passage } from '../../../rag/index.js';
import { type Fact, factAt } from '../fact.js';

export const PHONE = /(?<![\d-])(?:\+?1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])/g;
/** Whose number it is, as it is mostly said just before. */
const WHOSE =
  /(member services|customer (?:service|care)|nurse (?:line|advice)|claims?(?: department| office)?|appeals?|prior authori[sz]ations?|future authori[sz]ations|marketplace|pharmacy|provider services|benefits office|emergency|fax|tty|help ?line|hotline)/gi;
const LOOK_BACK = 90;

/** Phone numbers, with whose they are. */
export function phones(passage: Passage): Fact[] {
  return [...passage.text.matchAll(PHONE)].map((match) => {
    const before = passage.text.slice(Math.max(0, match.index - LOOK_BACK), match.index);
    const label = [...before.matchAll(WHOSE)].at(-1)?.[0] ?? null;
    return factAt(passage, [match.index, match.index + match[0].length], {
      key: 'phone',
      label,
      confidence: label ? 0.9 : 0.6,
    });
  });
}
