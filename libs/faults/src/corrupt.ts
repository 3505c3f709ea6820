import { types } from 'node:util';

export type Corruption = 'garbage' | 'truncation' | 'wrong-data';

type Random = () => number;

/** Members that say what an object is: with another value it would be no answer at all, but a bug of ours. */
const DISCRIMINATORS = new Set(['type', 'kind', 'role', 'id']);

/**
 * What a broken dependency might have answered instead of `value`, by its kind. The value itself is never changed: a
 * cache may hold it. Values of other kinds (class instances, null) come back as they are.
 *
 * - `garbage`: nonsense of the right type: random characters and bytes, NaN in vectors
 * - `truncation`: the first half; vectors of half the dimensions
 * - `wrong-data`: plausible and wrong: one character or byte is another one; of several vectors, the last is missing
 */
export function corrupt(value: unknown, corruption: Corruption, random: Random): unknown {
  if (typeof value === 'string') return TEXT[corruption](value, random);
  if (typeof value === 'number') return NUMBER[corruption](value);
  if (typeof value === 'boolean') return !value;
  if (types.isFloat32Array(value)) return VECTOR[corruption](value);
  if (types.isUint8Array(value)) return BYTES[corruption](value, random);
  if (Array.isArray(value)) return corruptList(value, corruption, random);
  return isRecord(value) ? corruptMembers(value, corruption, random) : value;
}

const TEXT = {
  garbage: (text: string, random: Random) =>
    Array.from(text, () => String.fromCharCode(0x21 + Math.floor(random() * 0x5e))).join(''),
  truncation: (text: string) => text.slice(0, text.length >> 1),
  'wrong-data': (text: string, random: Random) => {
    const at = Math.floor(random() * text.length);
    return `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
  },
};

const NUMBER = {
  garbage: () => Number.NaN,
  truncation: (number: number) => Math.trunc(number / 2),
  'wrong-data': (number: number) => number + 1,
};

const VECTOR = {
  garbage: (vector: Float32Array) => vector.map(() => Number.NaN),
  truncation: (vector: Float32Array) => vector.slice(0, vector.length >> 1),
  'wrong-data': (vector: Float32Array) => vector.map((component) => -component),
};

const BYTES = {
  garbage: (bytes: Uint8Array, random: Random) =>
    copyOf(bytes)
      .fill(0)
      .map(() => Math.floor(random() * 256)),
  truncation: (bytes: Uint8Array) => copyOf(bytes.subarray(0, bytes.length >> 1)),
  'wrong-data': (bytes: Uint8Array, random: Random) => {
    const copy = copyOf(bytes);
    const at = Math.floor(random() * copy.length);
    if (copy.length > 0) copy[at] = copy[at]! ^ 0xff;
    return copy;
  },
};

/** A Buffer stays a Buffer; its `slice` would share the memory. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? Buffer.from(bytes) : bytes.slice();
}

/** Vectors come one for each text, so that one too few is wrong. Of other lists, half is missing or in another order. */
function corruptList(list: unknown[], corruption: Corruption, random: Random): unknown[] {
  const vectors = list.length > 0 && list.every((item) => types.isFloat32Array(item));
  if (corruption === 'wrong-data') return vectors ? list.slice(0, -1) : list.toReversed();
  if (corruption === 'truncation' && !vectors) return list.slice(0, list.length >> 1);
  return list.map((item) => corrupt(item, corruption, random));
}

function corruptMembers(record: Record<string, unknown>, corruption: Corruption, random: Random): object {
  return Object.fromEntries(
    Object.entries(record).map(([name, member]) => [
      name,
      DISCRIMINATORS.has(name) ? member : corrupt(member, corruption, random),
    ]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
