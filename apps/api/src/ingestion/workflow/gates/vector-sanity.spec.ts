import { VectorSanity } from './vector-sanity.js';

function sanityOf(...vectors: number[][]) {
  const sanity = new VectorSanity();
  for (const vector of vectors) sanity.add([Float32Array.from(vector)]);
  return sanity.evidence;
}

describe('the sanity of vectors', () => {
  it('tells nothing of no vectors', () => {
    expect(sanityOf()).toEqual({ vectors: 0, vectorsNonFinite: 0 });
  });

  it('finds out that all are the same, whatever their length', () => {
    const { similarityToCentroid } = sanityOf([1, 2, 3], [2, 4, 6], [10, 20, 30]);
    expect(similarityToCentroid).toBeCloseTo(1, 6);
  });

  it('is the mean cosine to the centroid', () => {
    expect(sanityOf([1, 0], [0, 1]).similarityToCentroid).toBeCloseTo(Math.SQRT1_2, 6);
    expect(sanityOf([1, 0], [-1, 0]).similarityToCentroid).toBeCloseTo(0, 6);
  });

  it('counts vectors that are none, and leaves them out', () => {
    expect(sanityOf([Number.NaN, 1], [Infinity, 0], [0, 0], [3, 4])).toEqual({
      vectors: 4,
      vectorsNonFinite: 3,
      similarityToCentroid: expect.closeTo(1, 6),
    });
  });
});
