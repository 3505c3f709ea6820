import { corrupt, type Corruption } from './corrupt.js';
import { seededRandom } from './fault-rule.js';

const broken = (value: unknown, corruption: Corruption) => corrupt(value, corruption, seededRandom(3));
const KINDS: Corruption[] = ['garbage', 'truncation', 'wrong-data'];

describe('a corrupted value', () => {
  it('of text has the same length as garbage, half of it when truncated, one other character when wrong', () => {
    const text = 'The deductible is $1,500.';
    expect(broken(text, 'garbage')).toHaveLength(text.length);
    expect(broken(text, 'garbage')).not.toBe(text);
    expect(broken(text, 'truncation')).toBe('The deductib');
    const wrong = broken(text, 'wrong-data') as string;
    expect([...wrong].filter((character, i) => character !== text[i])).toHaveLength(1);
  });

  it('of bytes stays a Buffer and leaves the original as it was', () => {
    const bytes = Buffer.from('insurance');
    for (const kind of KINDS) {
      const result = broken(bytes, kind) as Buffer;
      expect(Buffer.isBuffer(result)).toBe(true);
      expect(result.equals(bytes)).toBe(false);
    }
    expect(broken(bytes, 'truncation')).toHaveLength(4);
    expect(bytes.toString()).toBe('insurance');
  });

  it('of vectors is NaN, has another dimension, or is one too few', () => {
    const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    expect(broken(vectors, 'garbage')).toEqual([Float32Array.of(NaN, NaN), Float32Array.of(NaN, NaN)]);
    expect(broken(vectors, 'truncation')).toEqual([Float32Array.of(1), Float32Array.of(0)]);
    expect(broken(vectors, 'wrong-data')).toEqual([Float32Array.of(1, 0)]);
    expect(vectors).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)]);
  });

  it('of an event keeps what it is and changes what it says', () => {
    const event = { type: 'text', text: 'abcd' };
    expect(broken(event, 'truncation')).toEqual({ type: 'text', text: 'ab' });
    expect(broken({ type: 'end', usage: { inputTokens: 4 } }, 'wrong-data')).toEqual({
      type: 'end',
      usage: { inputTokens: 5 },
    });
    expect(event.text).toBe('abcd');
  });

  it('of a list lacks the second half, or has another order', () => {
    expect(broken(['a', 'b', 'c'], 'truncation')).toEqual(['a']);
    expect(broken(['a', 'b', 'c'], 'wrong-data')).toEqual(['c', 'b', 'a']);
  });

  it.each([[null], [undefined], [''], [Buffer.alloc(0)], [new Date(0)], [[]]])(
    'of %p breaks nothing',
    (value) => {
      for (const kind of KINDS) expect(() => broken(value, kind)).not.toThrow();
      expect(broken(new Date(0), 'garbage')).toEqual(new Date(0));
    },
  );
});
