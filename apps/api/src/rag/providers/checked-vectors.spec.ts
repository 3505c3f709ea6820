import { TransientFailure } from '#libs/errors';
import { checkedVectors, EmbedderMisbehaved, type GivenVector } from './checked-vectors.js';

const vector = (index: number, ...values: unknown[]): GivenVector => ({ index, values });
const check = (...given: GivenVector[]) => checkedVectors('openai:e', given, { count: 2, dimensions: 2 });

describe('checkedVectors', () => {
  it('puts vectors in the order of their texts and makes them one long', () => {
    const [first, second] = check(vector(1, 0, -2), vector(0, 3, 4));
    expect([...first!].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([0.6, 0.8]);
    expect([...second!]).toEqual([0, -1]);
  });

  it.each<[string, GivenVector[]]>([
    ['wrong-count', [vector(0, 1, 0)]],
    ['wrong-count', [vector(0, 1, 0), vector(1, 1, 0), vector(2, 1, 0)]],
    ['wrong-order', [vector(0, 1, 0), vector(0, 0, 1)]],
    ['wrong-order', [vector(0, 1, 0), vector(2, 0, 1)]],
    ['wrong-order', [vector(0, 1, 0), vector(0.5, 0, 1)]],
    ['wrong-order', [vector(-1, 1, 0), vector(0, 0, 1)]],
    ['wrong-dimension', [vector(0, 1, 0), vector(1, 1)]],
    ['wrong-dimension', [vector(0, 1, 0), vector(1, 1, 0, 0)]],
    ['not-finite', [vector(0, 1, 0), vector(1, NaN, 1)]],
    ['not-finite', [vector(0, 1, 0), vector(1, Infinity, 1)]],
    ['not-finite', [vector(0, 1, 0), vector(1, null, 1)]],
    ['not-finite', [vector(0, 1, 0), vector(1, '1', 1)]],
    ['not-finite', [vector(0, 1, 0), vector(1, 1e200, 1)]],
    ['zero', [vector(0, 1, 0), vector(1, 0, 0)]],
    ['zero', [vector(0, 1, 0), vector(1, 1e-30, 0)]],
  ])('refuses them all for one that is wrong: %s', (reason, given) => {
    let error: unknown;
    try {
      check(...given);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EmbedderMisbehaved);
    expect(error).toBeInstanceOf(TransientFailure);
    expect((error as EmbedderMisbehaved).reason).toBe(reason);
  });
});
