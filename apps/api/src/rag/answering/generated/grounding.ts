import { sentencesOf, type Span, stem, tokenize } from '../../text/index.js';

/** What a text says, reduced to what can be compared. */
export interface Terms {
  /** Stems of the content words. */
  words: Set<string>;
  /** Each number with every reading that its notation allows: "1,000" is 1000. */
  numbers: string[][];
}

export function termsOf(text: string): Terms {
  const terms: Terms = { words: new Set(), numbers: [] };
  for (const { text: token } of tokenize(text)) {
    if (isNumber(token)) terms.numbers.push(readingsOf(token));
    else if (!STOP_WORDS.has(token)) terms.words.add(stem(token));
    const spelled = NUMBER_WORDS.indexOf(token);
    if (spelled !== -1) terms.numbers.push([String(spelled + 2)]);
  }
  return terms;
}

/** Whether each number that the claim writes in digits stands in the evidence, in digits or as a word. */
export function numbersHold(claim: string, evidence: string): boolean {
  const known = new Set(termsOf(evidence).numbers.flat());
  return tokenize(claim)
    .filter(({ text }) => isNumber(text))
    .every(({ text }) => readingsOf(text).some((reading) => known.has(reading)));
}

/**
 * Whether a passage says something like the claim, for claims that do not quote it: they share content words, and
 * the sentence of the passage that comes closest denies if the claim does. It cannot tell a wrong claim in the
 * passage's own words from a right one; the quote beside the claim lets the reader do that.
 *
 * @param share of the claim's words and numbers that the passage must have
 */
export function resembles(claim: string, passage: string, share = SHARE_NEEDED): boolean {
  const claimed = termsOf(claim);
  const said = termsOf(passage);
  const total = weight(claimed);
  const shared = commonTerms(claimed, said);
  if (commonWords(claimed, said) === 0 || shared < Math.min(2, total) || shared / total < share) return false;
  const { start, end } = bestSentence(claim, passage);
  return denies(claim) === denies(passage.slice(start, end));
}

/** The sentence of a passage that says most of what the claim says: the place to quote. All of it when none does. */
export function bestSentence(claim: string, passage: string): Span {
  const claimed = termsOf(claim);
  let best: Span = { start: 0, end: passage.length };
  let bestScore = 0;
  for (const span of sentencesOf(passage)) {
    const said = termsOf(passage.slice(span.start, span.end));
    const score = commonTerms(claimed, said) + commonNumbers(claimed, said);
    if (score > bestScore) [best, bestScore] = [span, score];
  }
  return best;
}

/** How many content words and numbers a text has: with fewer than three it hardly claims anything. */
export const weightOf = (text: string): number => weight(termsOf(text));

/** Low, because models paraphrase; a claim that shares nothing with its passage has nothing. */
const SHARE_NEEDED = 0.25;

const DENIALS = /\b(?:not?|never|none|neither|nor|without|cannot|except|exclud\w*|\w+n['’]t)\b/i;
const denies = (text: string) => DENIALS.test(text);

const weight = ({ words, numbers }: Terms) => words.size + numbers.length;
const commonTerms = (these: Terms, those: Terms) => commonWords(these, those) + commonNumbers(these, those);

function commonWords(these: Terms, those: Terms): number {
  return [...these.words].filter((word) => those.words.has(word)).length;
}

function commonNumbers(these: Terms, those: Terms): number {
  const known = new Set(those.numbers.flat());
  return these.numbers.filter((readings) => readings.some((reading) => known.has(reading))).length;
}

const isNumber = (token: string) => /^\p{N}/u.test(token);

/** "1,000.50" and "1.000,50" as 1000.50, "12,5" as 12.5, and "01" or "20.00" without their idle zeros. */
function readingsOf(token: string): string[] {
  const readings = [token];
  if (/^\d{1,3}(,\d{3})+(\.\d+)?$/.test(token)) readings.push(token.replaceAll(',', ''));
  if (/^\d{1,3}(\.\d{3})+(,\d+)?$/.test(token)) readings.push(token.replaceAll('.', '').replace(',', '.'));
  if (/^\d+,\d{1,2}$/.test(token)) readings.push(token.replace(',', '.'));
  return readings.map((reading) => reading.replace(/^0+(?=\d)/, '').replace(/\.00?$/, ''));
}

/** From two: "one" is seldom a number. */
const NUMBER_WORDS =
  'two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );

const STOP_WORDS = new Set(
  `a about after all also am an and any are as at be because been before being but by can could did do does doing
  each for from further had has have having he her here hers him his how i if in into is it its itself just me more
  most my no nor not now of off on once only or other our out over own same she should so some such than that the
  their them then there these they this those through to too under until up us very was we were what when where
  which while who whom why will with would you your yours plan plans document documents passage say says according`.split(
    /\s+/,
  ),
);
