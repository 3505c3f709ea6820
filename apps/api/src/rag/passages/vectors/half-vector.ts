/// <reference lib="esnext.float16" />

/**
 * Vectors as IEEE 754 half floats, little-endian: half the room of single floats, and the product of two vectors of
 * length 1 is off by less than 0.0005.
 */
export function toHalfBytes(vector: Float32Array): Buffer {
  return Buffer.from(new Float16Array(vector).buffer);
}

/** The product of a vector and one in bytes: the cosine when both have length 1. */
export function similarityTo(vector: Float32Array, bytes: Uint8Array): number {
  // Copied, because a view of half floats must start at an even address.
  const other = new Float16Array(new Uint8Array(bytes).buffer);
  if (other.length !== vector.length) throw new Error('The vectors have different dimensions');
  let sum = 0;
  for (let i = 0; i < other.length; i++) sum += vector[i]! * other[i]!;
  return sum;
}

const [ZERO, ONE] = Buffer.from('01') as unknown as [number, number];

/** One bit a dimension: whether it is positive. */
export function signsOf(vector: Float32Array): string {
  const signs = Buffer.allocUnsafe(vector.length);
  for (let i = 0; i < vector.length; i++) signs[i] = vector[i]! > 0 ? ONE : ZERO;
  return signs.toString('latin1');
}
