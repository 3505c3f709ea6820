/// <reference lib="esnext.float16" />

/**
 * Vectors as IEEE 754 half floats, little-endian: half the room of single floats, and the product of two vectors of
 * length 1 is off by less than 0.0005.
 */
export function toHalfBytes(vector: Float32Array): Buffer {
  return Buffer.from(Float16Array.from(vector).buffer);
}

/** The product of a vector and one in bytes: the cosine when both have length 1. */
export function similarityTo(vector: Float32Array, bytes: Uint8Array): number {
  // Copied, because a view of half floats must start at an even address.
  const other = new Float16Array(Uint8Array.from(bytes).buffer);
  if (other.length !== vector.length) throw new Error('The vectors have different dimensions');
  let sum = 0;
  for (let i = 0; i < other.length; i++) sum += vector[i]! * other[i]!;
  return sum;
}

/** One bit a dimension: whether it is positive. */
export function signsOf(vector: Float32Array): string {
  let signs = '';
  for (const x of vector) signs += x > 0 ? '1' : '0';
  return signs;
}
