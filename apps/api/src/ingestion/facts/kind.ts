import type { DocumentKind } from './fact.js';

/** What a kind of document says of itself, with how much that counts. Some points are enough to be sure. */
const SIGNS: Readonly<Record<Exclude<DocumentKind, 'other'>, readonly (readonly [RegExp, number])[]>> = {
  summary_of_benefits: [
    [/summary of benefits and coverage/i, 4],
    [/what this plan covers & what you pay/i, 3],
    [/coverage examples/i, 1],
    [/important questions/i, 1],
  ],
  plan_booklet: [
    [
      /benefits? booklet|evidence of coverage|certificate of (?:coverage|insurance)|summary plan description|plan document|member handbook/i,
      3,
    ],
    [/eligib/i, 1],
    [/exclusions|what (?:the plan|is) (?:does )?not cover/i, 1],
    [/\bcoordination of benefits\b|\bsubrogation\b/i, 1],
    [/prior authori[sz]ation/i, 1],
  ],
  explanation_of_benefits: [
    [/explanation of benefits/i, 3],
    [/this is not a bill/i, 3],
    [/\b(?:amount|plan) (?:paid|allowed)|\ballowed amount\b|\byou may owe\b/i, 1],
    [/date of service/i, 1],
  ],
  claim_letter: [
    [/\bclaim (?:number|no\.?|#)|\bclaim \d/i, 2],
    [/\bdear [A-Z]/, 2],
    [/\bwe (?:have )?(?:denied|approved|received|paid)\b|\bnotice of denial\b/i, 2],
    [/\bsincerely\b/i, 2],
    [/\bappeal/i, 1],
  ],
  id_card: [
    [/\bmember (?:id|number)\b/i, 2],
    [/\brx ?(?:bin|pcn|grp|group)\b/i, 4],
    [/\bgroup (?:no\.?|number|#)/i, 1],
    [/\bpayer id\b/i, 2],
  ],
};

const SURE = 6;
const ENOUGH = 3;
/** An identity card has little text; a letter has some pages. */
const MOST_WORDS: Partial<Record<DocumentKind, number>> = { id_card: 250, claim_letter: 3_000 };

/** What stands here counts in full, and half of it further down, where it may only be mentioned. */
const HEAD_CHARACTERS = 2_000;

/** What a document is, from its headings and its first passages. */
export function kindOf(text: string, words: number): { kind: DocumentKind; confidence: number } {
  const scores = Object.entries(SIGNS).map(([kind, signs]) => ({
    kind: kind as DocumentKind,
    score:
      words > (MOST_WORDS[kind as DocumentKind] ?? Infinity)
        ? 0
        : signs.reduce((sum, [sign, points]) => sum + points * shownBy(sign, text), 0),
  }));
  const [best, second] = scores.sort((a, b) => b.score - a.score);
  if (best!.score < ENOUGH) return { kind: 'other', confidence: 1 - best!.score / SURE };
  const margin = (best!.score - second!.score) / best!.score;
  const strength = Math.min(1, best!.score / SURE);
  return { kind: best!.kind, confidence: Math.round(strength * (0.6 + 0.4 * margin) * 100) / 100 };
}

function shownBy(sign: RegExp, text: string): number {
  if (sign.test(text.slice(0, HEAD_CHARACTERS))) return 1;
  return sign.test(text) ? 0.5 : 0;
}
