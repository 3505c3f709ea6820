import type { GateEvidence } from './gate.js';

/** Sums up vectors as they come, to tell a model that works from one that gives everything the same vector. */
export class VectorSanity {
  private count = 0;
  private broken = 0;
  private sum: Float64Array | undefined;

  add(vectors: readonly Float32Array[]): void {
    for (const vector of vectors) this.addOne(vector);
  }

  /** The mean cosine to the centroid is the length of the mean of the unit vectors. */
  get evidence(): Pick<GateEvidence, 'vectors' | 'vectorsNonFinite' | 'similarityToCentroid'> {
    const sound = this.count - this.broken;
    return {
      vectors: this.count,
      vectorsNonFinite: this.broken,
      ...(this.sum && { similarityToCentroid: lengthOf(this.sum) / sound }),
    };
  }

  private addOne(vector: Float32Array): void {
    this.count += 1;
    const length = lengthOf(vector);
    if (!Number.isFinite(length) || length === 0) {
      this.broken += 1;
      return;
    }
    const sum = (this.sum ??= new Float64Array(vector.length));
    for (let i = 0; i < vector.length; i++) sum[i]! += vector[i]! / length;
  }
}

function lengthOf(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  return Math.sqrt(squares);
}
