/**
 * The Snowball English stemmer ("Porter2"), the one that PostgreSQL's `english_stem` uses, so that a word has the
 * same stem here and in the database. Source: https://snowballstem.org/algorithms/english/stemmer.html
 */
export function stem(word: string): string {
  const lower = word.toLowerCase().replaceAll('’', "'");
  // Only English words have English endings; numbers, codes and other scripts stay as they are.
  if (lower.length < 3 || !/^[a-z']+$/.test(lower)) return lower;
  const known = EXCEPTIONS.get(lower);
  if (known !== undefined) return known;

  let text = markConsonantY(lower.replace(/^'/, ''));
  const { r1, r2 } = regions(text);
  text = text.replace(/'(s'?)?$/, '');
  text = plural(text);
  if (INVARIANT_AFTER_PLURAL.has(text)) return text;
  text = pastAndGerund(text, r1);
  text = text.replace(/(?<=.[^aeiouy])[yY]$/, 'i');
  text = replaceSuffix(text, r1, r2, DERIVATIONS);
  text = replaceSuffix(text, r1, r2, FURTHER_DERIVATIONS);
  text = dropResidual(text, r2);
  text = dropFinal(text, r1, r2);
  return text.toLowerCase();
}

/** A `y` at the start or after a vowel is a consonant, written `Y` meanwhile. */
const markConsonantY = (word: string) => word.replace(/(^|[aeiouy])y/g, '$1Y');

/** R1 begins after the first consonant that follows a vowel, R2 in the same way within R1. */
function regions(word: string): { r1: number; r2: number } {
  const prefix = /^(gener|commun|arsen)/.exec(word)?.[0];
  const r1 = prefix ? prefix.length : afterVowelConsonant(word, 0);
  return { r1, r2: afterVowelConsonant(word, r1) };
}

function afterVowelConsonant(word: string, from: number): number {
  const match = /[aeiouy][^aeiouy]/.exec(word.slice(from));
  return match ? from + match.index + 2 : word.length;
}

function plural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.length > 4 ? word.slice(0, -2) : word.slice(0, -1);
  if (/(us|ss)$/.test(word)) return word;
  return /[aeiouy].+s$/.test(word) ? word.slice(0, -1) : word;
}

function pastAndGerund(word: string, r1: number): string {
  const kept = /(eed|eedly)$/.exec(word);
  if (kept) return kept.index >= r1 ? `${word.slice(0, kept.index)}ee` : word;
  const ending = /(ingly|edly|ing|ed)$/.exec(word);
  if (!ending) return word;
  const rest = word.slice(0, ending.index);
  if (ending[0] === 'ing' && /^[^aeiouy]y$/.test(rest)) return `${rest[0]}ie`;
  if (!/[aeiouy]/.test(rest)) return word;
  if (/(at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (/(bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(rest)) return /^[aeo]..$/.test(rest) ? rest : rest.slice(0, -1);
  return isShortWord(rest, r1) ? `${rest}e` : rest;
}

const endsInShortSyllable = (word: string) =>
  /[^aeiouy][aeiouy][^aeiouywxY]$/.test(word) || /^[aeiouy][^aeiouy]$/.test(word);

const isShortWord = (word: string, r1: number) => r1 >= word.length && endsInShortSyllable(word);

interface SuffixRule {
  suffix: string;
  replacement: string;
  /** What must stand before the suffix. */
  after?: RegExp;
  inR2?: boolean;
}

/** Applies the rule of the longest suffix that the word has, if it lies in its region. */
function replaceSuffix(word: string, r1: number, r2: number, rules: SuffixRule[]): string {
  const rule = rules.find(({ suffix }) => word.endsWith(suffix));
  if (!rule) return word;
  const rest = word.slice(0, -rule.suffix.length);
  if (rest.length < (rule.inR2 ? r2 : r1) || (rule.after && !rule.after.test(rest))) return word;
  return rest + rule.replacement;
}

function dropResidual(word: string, r2: number): string {
  const match = /(ement|ance|ence|able|ible|ment|ant|ent|ism|ate|iti|ous|ive|ize|ion|al|er|ic)$/.exec(word);
  if (!match || match.index < r2) return word;
  if (match[0] === 'ion' && !/[st]$/.test(word.slice(0, match.index))) return word;
  return word.slice(0, match.index);
}

function dropFinal(word: string, r1: number, r2: number): string {
  const last = word.length - 1;
  const rest = word.slice(0, -1);
  if (word.endsWith('e') && (last >= r2 || (last >= r1 && !endsInShortSyllable(rest)))) return rest;
  return word.endsWith('ll') && last >= r2 ? rest : word;
}

const rule = (suffix: string, replacement: string, more: Partial<SuffixRule> = {}): SuffixRule => ({
  suffix,
  replacement,
  ...more,
});

/** Longest first. */
const DERIVATIONS: SuffixRule[] = [
  rule('ization', 'ize'),
  rule('ational', 'ate'),
  rule('fulness', 'ful'),
  rule('ousness', 'ous'),
  rule('iveness', 'ive'),
  rule('tional', 'tion'),
  rule('biliti', 'ble'),
  rule('lessli', 'less'),
  rule('entli', 'ent'),
  rule('ation', 'ate'),
  rule('alism', 'al'),
  rule('aliti', 'al'),
  rule('ousli', 'ous'),
  rule('iviti', 'ive'),
  rule('fulli', 'ful'),
  rule('enci', 'ence'),
  rule('anci', 'ance'),
  rule('abli', 'able'),
  rule('izer', 'ize'),
  rule('ator', 'ate'),
  rule('alli', 'al'),
  rule('bli', 'ble'),
  rule('ogi', 'og', { after: /l$/ }),
  rule('li', '', { after: /[cdeghkmnrt]$/ }),
];

const FURTHER_DERIVATIONS: SuffixRule[] = [
  rule('ational', 'ate'),
  rule('tional', 'tion'),
  rule('alize', 'al'),
  rule('icate', 'ic'),
  rule('iciti', 'ic'),
  rule('ative', '', { inR2: true }),
  rule('ical', 'ic'),
  rule('ness', ''),
  rule('ful', ''),
];

const EXCEPTIONS = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
  ...['sky', 'news', 'howe', 'atlas', 'cosmos', 'bias', 'andes'].map((word) => [word, word] as const),
]);

const INVARIANT_AFTER_PLURAL = new Set([
  'inning',
  'outing',
  'canning',
  'herring',
  'earring',
  'proceed',
  'exceed',
  'succeed',
]);
