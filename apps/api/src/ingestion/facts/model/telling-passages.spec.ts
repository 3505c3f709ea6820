import type { Passage } from '../../../rag/index.js';
import { inOrder, passage, row } from '../spec-passages.js';
import { TellingPassages } from './telling-passages.js';

function chosen(passages: Passage[]): string[] {
  const telling = new TellingPassages();
  for (const each of inOrder(passages)) telling.add(each);
  return telling.result().map(({ text }) => text);
}
const prose = (count: number, text = 'The rabbit ran across the meadow.') =>
  Array.from({ length: count }, () => passage(text));

describe('the passages that tell of a plan', () => {
  it('are none where nothing does, and nobody is asked then', () => {
    expect(chosen(prose(10))).toEqual([]);
  });

  it('are the first, and those with what a plan is known by, in their order', () => {
    const telling = [
      row('Deductible', { Network: '$1,500' }),
      passage('The out-of-pocket limit is $6,000.'),
      passage('The plan does not cover cosmetic surgery.'),
      passage('Call 612-555-0142.'),
      passage('Coverage period: 01/01/2026 to 12/31/2026'),
    ];
    expect(chosen([...prose(5), ...telling, ...prose(5)])).toEqual([
      ...prose(3).map(({ text }) => text),
      ...telling.map(({ text }) => text),
    ]);
  });

  it('know what they are about from their headings, too', () => {
    const section = passage('• Cosmetic surgery', { headingPath: ['What is not covered'] });
    expect(chosen([...prose(5), section])).toContain('• Cosmetic surgery');
  });

  it('are rows of tables rather than sentences', () => {
    const sentences = prose(40, 'The deductible of $1,500 is counted by the year.');
    expect(chosen([...sentences, row('Deductible', { Network: '$1,500' })])).toContain(
      'Deductible | Network: $1,500',
    );
  });

  it('are lists of what is excluded rather than rows that say so of one service', () => {
    const rows = Array.from({ length: 90 }, () => row('Laser correction', { Network: 'Not covered' }));
    const list = passage('The plan does not pay for:\n• Cosmetic surgery');
    const texts = chosen([...rows, ...prose(30, 'Fees are not covered.'), list]);
    expect(texts).toContain(list.text);
    expect(texts.filter((text) => text.startsWith('Laser'))).toHaveLength(3);
  });

  it('leave room for each other, and are never more than a model may be given', () => {
    const rows = Array.from({ length: 500 }, (_, i) =>
      row(`Service ${i} ${'x'.repeat(900)}`, { Network: '$25 copay' }),
    );
    const texts = chosen([...rows, passage('The plan does not cover cosmetic surgery.')]);
    expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(24_000);
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.at(-1)).toBe('The plan does not cover cosmetic surgery.');
  });
});
