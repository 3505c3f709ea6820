import type { NewPassage } from '../passage.js';
import { termsOf } from './terms.js';

/** Which of up to 256 passages of a document have a term, and how much of each it is. */
export interface Posting {
  term: string;
  /** The passages from ordinal 256 × `block` on. */
  block: number;
  /** Three bytes each: ordinal within the block, then the frequency × 1024, big-endian. */
  entries: Buffer;
}

type Indexed = Pick<NewPassage, 'ordinal' | 'kind' | 'text' | 'headingPath' | 'row'>;

/**
 * The postings of passages, which are given in order.
 * @param slice those that the postings are of; the others only stand around them
 */
export function postingsOf(
  passages: readonly Indexed[],
  { start, end }: { start: number; end: number } = { start: 0, end: passages.length },
): Posting[] {
  const bodies = passages.map(({ text }) => termsOf(text));
  const rows = new Map<string, Map<number, number[]>>();
  for (let i = start; i < end; i += 1) {
    const passage = passages[i]!;
    for (const [term, frequency] of frequenciesOf(passages, bodies, i)) {
      const blocks = getOrAdd(rows, term, () => new Map<number, number[]>());
      const entries = getOrAdd(blocks, passage.ordinal >> 8, () => []);
      const scaled = Math.min(Math.max(Math.round(frequency * SCALE), 1), 0xffff);
      entries.push(passage.ordinal & 0xff, scaled >> 8, scaled & 0xff);
    }
  }
  return [...rows].flatMap(([term, blocks]) =>
    [...blocks].map(([block, entries]) => ({ term, block, entries: Buffer.from(entries) })),
  );
}

/**
 * How often each term stands in a passage, as BM25F counts: in each field divided by how long the field is compared
 * with a usual one, times the field's weight, and added up over the fields. Usual lengths are constants and not means
 * over the tenant, so that a document's postings depend on nothing but the document.
 * Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3.7.
 */
function frequenciesOf(passages: readonly Indexed[], bodies: string[][], at: number): Map<string, number> {
  const frequencies = new Map<string, number>();
  const add = (terms: string[], { weight, usualLength, b }: Field) => {
    const share = weight / (1 - b + (b * terms.length) / usualLength);
    for (const term of terms) frequencies.set(term, (frequencies.get(term) ?? 0) + share);
  };
  const passage = passages[at]!;
  add(bodies[at]!, FIELDS.body);
  add(termsOf(titlesOf(passage)), FIELDS.titles);
  const around = [at - 1, at + 1].filter((i) => continues(passages[i], passage));
  if (around.length > 0)
    add(
      around.flatMap((i) => bodies[i]!),
      FIELDS.around,
    );
  return frequencies;
}

const titlesOf = ({ headingPath, row }: Indexed) =>
  [...headingPath, row?.caption, row?.group, row?.label].filter(Boolean).join('\n');

/** Prose of one section is about one thing, wherever it was cut; a table's rows are about one thing each. */
const continues = (other: Indexed | undefined, { kind, headingPath }: Indexed) =>
  other?.kind === 'prose' && kind === 'prose' && other.headingPath.join('\n') === headingPath.join('\n');

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

interface Field {
  weight: number;
  /** In terms. */
  usualLength: number;
  /** 0 to 1: how much a longer field counts for less. */
  b: number;
}

/** Measured; see the README of retrieval. A change needs the passages to be indexed anew. */
const FIELDS = {
  body: { weight: 1, usualLength: 50, b: 0.3 },
  titles: { weight: 2, usualLength: 12, b: 0.3 },
  /** The passages before and after, when they belong together. */
  around: { weight: 0.4, usualLength: 60, b: 0.3 },
} satisfies Record<string, Field>;

export const SCALE = 1024;
