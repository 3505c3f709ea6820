import type { Passage } from '../../../rag/index.js';
import { type Fact, factAt } from '../fact.js';

/** What names a plan and its insurer stands on the first pages. */
const FIRST_PASSAGES = 12;

const WORD = "[A-Z][\\w&'’.-]*";
const PLAN_TYPES = '(?:PPO|HMO|EPO|POS|HDHP|HSA)';
const NAMED_BY_TYPE = new RegExp(
  `\\b${WORD}(?: (?:${WORD}|\\d[\\d,/.]*)){0,4} ${PLAN_TYPES}\\b(?: Plan)?`,
  'g',
);
const NAMED = /^(?:plan name|name of (?:the )?plan|product)\s*:\s*(.{3,100})$/im;
const INSURER_NAMED =
  /(?:^|\b)(?:insurer|insurance company|issuer|underwritten by|insured by|administered by|offered by)\s*:?\s+([A-Z][^.\n;,]{2,80})/m;
const INSURER_WORDS =
  /\b(?:Mutual|Insurance|Assurance|Health ?Plan|Healthcare|Health|Blue (?:Cross|Shield)|Benefits? Fund)\b/;
/** The first line of the form "Summary of Benefits and Coverage": who insures, and by which plan. */
const INSURER_AND_PLAN = /^([A-Z][^:\n]{2,80}): ([A-Z][^\n]{2,80})$/m;

/** Candidates for the plan's name; the one that is found most often is the best. */
export function planNames(passage: Passage): Fact[] {
  const { text } = passage;
  const facts: Fact[] = [];
  const named = NAMED.exec(text);
  if (named) facts.push(factAt(passage, valueAt(named, named[1]!), { key: 'plan_name', confidence: 0.95 }));
  const form = passage.ordinal === 0 ? formTitle(text) : null;
  if (form) facts.push(factAt(passage, valueAt(form, form[2]!), { key: 'plan_name', confidence: 0.85 }));
  for (const match of text.matchAll(NAMED_BY_TYPE)) {
    const name = match[0].replace(/^(?:The|Your|This|A|An|Our) /, '');
    facts.push(factAt(passage, valueAt(match, name), { key: 'plan_name', confidence: 0.7 }));
  }
  return facts;
}

export function insurers(passage: Passage): Fact[] {
  const { text, ordinal } = passage;
  if (ordinal >= FIRST_PASSAGES) return [];
  const named = INSURER_NAMED.exec(text);
  if (named) return [factAt(passage, valueAt(named, named[1]!), { key: 'insurer', confidence: 0.9 })];
  const form = ordinal === 0 ? formTitle(text) : null;
  if (form) return [factAt(passage, valueAt(form, form[1]!), { key: 'insurer', confidence: 0.85 })];
  const line = /^[^\n]+/.exec(text)?.[0] ?? '';
  const isName = ordinal <= 2 && /^(?:[A-Z][\w&'’.-]*[ ]?){2,6}$/.test(line) && INSURER_WORDS.test(line);
  return isName ? [factAt(passage, [0, line.length], { key: 'insurer', confidence: 0.7 })] : [];
}

/** Only where the form's other lines are near. */
function formTitle(text: string): RegExpExecArray | null {
  return /Coverage Period/i.test(text) ? INSURER_AND_PLAN.exec(text) : null;
}

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const DATE = `(?:\\d{1,2}/\\d{1,2}/\\d{4}|(?:${MONTHS.join('|')})\\s+\\d{1,2},?\\s+\\d{4}|\\d{4}-\\d{2}-\\d{2})`;
const RANGE = new RegExp(`(${DATE})\\s*(?:[–—-]|to|through|until)\\s*(${DATE})`, 'gi');
const NAMES_PERIOD = /coverage period|policy period|plan year|in effect|effective/i;

/** The days on which the plan begins and ends. */
export function periods(passage: Passage): Fact[] {
  if (passage.ordinal >= FIRST_PASSAGES) return [];
  return [...passage.text.matchAll(RANGE)].flatMap((match) => {
    const period = periodIn(match[0]);
    if (!period) return [];
    const confidence = NAMES_PERIOD.test(passage.text) ? 0.9 : 0.5;
    return [factAt(passage, valueAt(match, match[0]), { key: 'period', ...period, confidence })];
  });
}

/** First and last day of a period as it is written, as YYYY-MM-DD; undefined when there are no such days. */
export function periodIn(text: string): { from: string; to: string } | undefined {
  const [match] = text.matchAll(RANGE);
  const [from, to] = [isoDate(match?.[1] ?? ''), isoDate(match?.[2] ?? '')];
  return from && to && from < to ? { from, to } : undefined;
}

/** YYYY-MM-DD of a date as it is written in the United States; null when there is no such day. */
export function isoDate(text: string): string | null {
  const numbers = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  const words = /^([a-z]+)\s+(\d{1,2}),?\s+(\d{4})$/i.exec(text);
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const [year, month, day] = numbers
    ? [numbers[3], Number(numbers[1]), numbers[2]]
    : words
      ? [words[3], MONTHS.indexOf(words[1]!.toLowerCase()) + 1, words[2]]
      : iso
        ? [iso[1], Number(iso[2]), iso[3]]
        : [];
  if (year === undefined) return null;
  const date = new Date(Date.UTC(Number(year), month! - 1, Number(day)));
  return date.getUTCMonth() === month! - 1 && date.getUTCDate() === Number(day)
    ? date.toISOString().slice(0, 10)
    : null;
}

/** Where a part of a match stands in the text. */
function valueAt(match: RegExpExecArray | RegExpMatchArray, value: string): [number, number] {
  const start = match.index! + match[0].lastIndexOf(value);
  return [start, start + value.length];
}
