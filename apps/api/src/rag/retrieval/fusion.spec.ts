import { type Candidate, fuse } from './fusion.js';

const options = { lexicalWeight: 0.6, similarityThreshold: 0.3 };
const candidate = (name: string, lexical: number, similarity: number | null) => ({
  name,
  lexical,
  similarity,
});
const order = (candidates: (Candidate & { name: string })[], changes: Partial<typeof options> = {}) =>
  fuse(candidates, { ...options, ...changes }).map(({ name }) => name);

describe('merging two rankings', () => {
  it('adds the shares of the best score of either, by weight', () => {
    const [first, second] = fuse([candidate('a', 10, 0.4), candidate('b', 5, 0.8)], options);
    expect(first).toMatchObject({ name: 'a', lexicalScore: 1, semanticScore: 0.4 });
    expect(first!.score).toBeCloseTo(0.6 * 1 + 0.4 * 0.5, 6);
    expect(second!.score).toBeCloseTo(0.6 * 0.5 + 0.4 * 1, 6);
  });

  it('goes by one of the two alone when the weight says so', () => {
    const candidates = [candidate('words', 10, 0.4), candidate('meaning', 1, 0.9)];
    expect(order(candidates, { lexicalWeight: 1 })).toEqual(['words', 'meaning']);
    expect(order(candidates, { lexicalWeight: 0 })).toEqual(['meaning', 'words']);
  });

  it('drops what shares no word and is too unlike, and keeps what is unlike but shares words', () => {
    const candidates = [
      candidate('words', 1, 0.1),
      candidate('neither', 0, 0.29),
      candidate('alike', 0, 0.3),
    ];
    expect(order(candidates)).toEqual(['words', 'alike']);
    expect(fuse(candidates, options)[0]!.score).toBeCloseTo(0.6 + (0.4 * 0.1) / 0.3, 6);
  });

  it('goes by words alone where nothing has a vector', () => {
    const [first, second] = fuse([candidate('b', 2, null), candidate('a', 8, null)], options);
    expect([first, second]).toMatchObject([
      { name: 'a', score: 1, semanticScore: null },
      { name: 'b', score: 0.25 },
    ]);
  });

  it('lets a passage without a vector stand where its words put it among those with one', () => {
    const candidates = [
      candidate('best words, no vector', 10, null),
      candidate('fair words, usual likeness', 7, 0.6),
      candidate('few words, great likeness', 3, 0.8),
      candidate('few words, no vector', 2, null),
    ];
    expect(order(candidates)[0]).toBe('best words, no vector');
    expect(order(candidates).at(-1)).toBe('few words, no vector');
  });

  it('measures each model by its own best, because their similarities have different scales', () => {
    const by = (model: string, name: string, similarity: number) => ({
      ...candidate(name, 0, similarity),
      model,
    });
    const candidates = [by('old', 'a', 0.9), by('old', 'b', 0.6), by('new', 'c', 0.5), by('new', 'd', 0.4)];
    const scores = fuse(candidates, { ...options, lexicalWeight: 0 }).map(({ name, score }) => [name, score]);
    expect(new Map(scores as [string, number][])).toEqual(
      new Map([
        ['a', 1],
        ['c', 1],
        ['d', 0.8],
        ['b', 0.6 / 0.9],
      ]),
    );
  });

  it('gives scores between 0 and 1', () => {
    const values = [0, 0.5, 3, 120];
    const candidates = values.flatMap((lexical) =>
      [null, -0.2, 0.31, 0.99].map((similarity) => candidate('x', lexical, similarity)),
    );
    for (const { score } of fuse(candidates, options)) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('makes nothing of nothing', () => {
    expect(fuse([], options)).toEqual([]);
  });
});
