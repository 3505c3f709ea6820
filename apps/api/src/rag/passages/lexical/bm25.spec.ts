import { Bm25Scores, type TermPostings } from './bm25.js';

const A = '11111111-1111-4111-8111-111111111111';
const B = 'ffffffff-ffff-4fff-8fff-ffffffffffff';

interface Entry {
  documentId: string;
  generation?: number;
  ordinal: number;
  frequency: number;
}

/** As the database hands them over, one posting row for each entry. */
function postings(entries: Entry[], count = 1): TermPostings {
  const rows = entries.map(({ documentId, generation = 1, ordinal, frequency }) => {
    const row = Buffer.alloc(29);
    row.write(documentId.replaceAll('-', ''), 'hex');
    row.writeInt32BE(generation, 16);
    row.writeInt32BE(ordinal >> 8, 20);
    row.writeInt16BE(3, 24);
    row.writeUInt8(ordinal & 255, 26);
    row.writeUInt16BE(frequency * 1024, 27);
    return row;
  });
  return { count, postings: Buffer.concat(rows) };
}

/** Straight from the formula, over a list of documents as maps from term to frequency. */
function reference(passages: Record<string, number>[], terms: string[], k1: number): number[] {
  return passages.map((passage) =>
    terms.reduce((sum, term) => {
      const having = passages.filter((other) => other[term]).length;
      const idf = Math.log(1 + (passages.length - having + 0.5) / (having + 0.5));
      const frequency = passage[term] ?? 0;
      return sum + (idf * frequency) / (frequency + k1);
    }, 0),
  );
}

describe('BM25', () => {
  it('gives what the formula gives', () => {
    const passages: Record<string, number>[] = [
      { copay: 1, visit: 2 },
      { visit: 0.5 },
      { copay: 3 },
      {},
      { drug: 1 },
    ];
    const termOf = (term: string) =>
      postings(
        passages.flatMap((passage, ordinal) =>
          passage[term] ? [{ documentId: A, ordinal, frequency: passage[term] }] : [],
        ),
      );
    for (const k1 of [0.5, 0.9, 1.2, 3]) {
      const scores = new Bm25Scores([termOf('copay'), termOf('visit')], passages.length, k1);
      const expected = reference(passages, ['copay', 'visit'], k1);
      passages.forEach((_, ordinal) =>
        expect(scores.scoreOf({ documentId: A, generation: 1, ordinal })).toBeCloseTo(expected[ordinal]!, 6),
      );
    }
  });

  it('counts a term that the question repeats as often as it does', () => {
    const entry = [{ documentId: A, ordinal: 0, frequency: 1 }];
    const once = new Bm25Scores([postings(entry)], 10, 1.2).best(1)[0]!.score;
    const thrice = new Bm25Scores([postings(entry, 3)], 10, 1.2).best(1)[0]!.score;
    expect(thrice).toBeCloseTo(3 * once, 6);
  });

  it('gives the best passages of all documents first, and equals always in the same order', () => {
    const scores = new Bm25Scores(
      [
        postings([
          { documentId: B, ordinal: 700, frequency: 1 },
          { documentId: A, ordinal: 300, frequency: 1 },
          { documentId: A, ordinal: 2, frequency: 1 },
          { documentId: B, ordinal: 1, frequency: 4 },
        ]),
      ],
      1_000,
      1.2,
    );
    const order = scores
      .best(10)
      .map(({ documentId, generation, ordinal }) => [documentId, generation, ordinal]);
    expect(order).toEqual([
      [B, 1, 1],
      [A, 1, 2],
      [A, 1, 300],
      [B, 1, 700],
    ]);
    expect(scores.best(2)).toEqual(scores.best(10).slice(0, 2));
  });

  it('keeps generations of a document apart', () => {
    const scores = new Bm25Scores(
      [postings([{ documentId: A, generation: 7, ordinal: 0, frequency: 1 }])],
      10,
      1.2,
    );
    expect(scores.best(1)).toMatchObject([{ documentId: A, generation: 7, ordinal: 0 }]);
    expect(scores.scoreOf({ documentId: A, generation: 6, ordinal: 0 })).toBe(0);
    expect(scores.scoreOf({ documentId: B, generation: 7, ordinal: 0 })).toBe(0);
  });

  it('never counts a term against a passage, not even one that all have or that a stale count says is impossible', () => {
    const everywhere = [0, 1, 2].map((ordinal) => ({ documentId: A, ordinal, frequency: 1 }));
    for (const passageCount of [3, 1, 0]) {
      const [best] = new Bm25Scores([postings(everywhere)], passageCount, 1.2).best(1);
      expect(best!.score).toBeGreaterThan(0);
    }
  });

  it('finds nothing without terms', () => {
    expect(new Bm25Scores([], 100, 1.2).best(10)).toEqual([]);
  });
});
