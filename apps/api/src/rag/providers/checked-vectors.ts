import { counter } from '#libs/observability';
import { TransientFailure } from '#libs/errors';

const misbehaviours = counter({
  name: 'navigator_embedder_misbehaved_total',
  help: 'Answers of the embedder that were thrown away, by what was wrong with them',
  labelNames: ['reason'],
});

export type Misbehaviour =
  | 'wrong-count'
  | 'wrong-order'
  | 'wrong-dimension'
  | 'not-finite'
  | 'zero'
  /** The vectors are those of another model than the one that the stored ones are of. */
  | 'model-changed';

/** The embedder answered, and its answer is of no use. It counts against the embedder, and nothing of it is stored. */
export class EmbedderMisbehaved extends TransientFailure {
  readonly code = 'embedder-misbehaved';

  constructor(
    embedder: string,
    readonly reason: Misbehaviour,
  ) {
    super(`${embedder} gave vectors that cannot be used (${reason})`);
    misbehaviours.inc({ reason });
  }
}

/** A vector as it was sent, with the place of its text. */
export interface GivenVector {
  index: number;
  values: ArrayLike<unknown>;
}

/**
 * The vectors in the order of their texts, each of length 1.
 *
 * @throws EmbedderMisbehaved unless there is exactly one good vector for each text
 */
export function checkedVectors(
  embedder: string,
  given: readonly GivenVector[],
  { count, dimensions }: { count: number; dimensions: number },
): Float32Array[] {
  const wrong = (reason: Misbehaviour) => new EmbedderMisbehaved(embedder, reason);
  if (given.length !== count) throw wrong('wrong-count');
  const vectors = new Array<Float32Array | undefined>(count);
  for (const { index, values } of given) {
    if (!(Number.isInteger(index) && index >= 0 && index < count) || vectors[index])
      throw wrong('wrong-order');
    if (values.length !== dimensions) throw wrong('wrong-dimension');
    vectors[index] = normalised(values, wrong);
  }
  return vectors as Float32Array[];
}

function normalised(values: ArrayLike<unknown>, wrong: (reason: Misbehaviour) => Error): Float32Array {
  const vector = new Float32Array(values.length);
  let square = 0;
  for (let i = 0; i < vector.length; i++) {
    const x = values[i];
    if (typeof x !== 'number' || !Number.isFinite(x)) throw wrong('not-finite');
    vector[i] = x;
    square += x * x;
  }
  const length = Math.sqrt(square);
  if (!Number.isFinite(length)) throw wrong('not-finite');
  if (length < SHORTEST) throw wrong('zero');
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return vector;
}

/** What is shorter has no direction that single floats could tell. */
const SHORTEST = 1e-12;
