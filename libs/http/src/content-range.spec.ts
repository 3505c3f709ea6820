import { rangeIn } from './content-range.js';
import { RangeNotSatisfiable } from './http.errors.js';

const FILE = { sizeBytes: 1_000, etag: '"abc"' };
const of = (range: string, ifRange?: string) => rangeIn({ range, ifRange }, FILE);

describe('rangeIn', () => {
  it.each<[string, { start: number; end: number }]>([
    ['bytes=0-99', { start: 0, end: 99 }],
    ['bytes=0-', { start: 0, end: 999 }],
    ['bytes=900-', { start: 900, end: 999 }],
    ['bytes=999-999', { start: 999, end: 999 }],
    ['bytes=990-5000', { start: 990, end: 999 }],
    ['bytes=-10', { start: 990, end: 999 }],
    ['bytes=-5000', { start: 0, end: 999 }],
    ['BYTES = 1 - 2'.replaceAll(' ', ''), { start: 1, end: 2 }],
  ])('reads %s', (range, bytes) => expect(of(range)).toEqual(bytes));

  it.each(['bytes=1000-', 'bytes=1000-1001', 'bytes=-0'])('cannot satisfy %s', (range) =>
    expect(() => of(range)).toThrow(RangeNotSatisfiable),
  );

  it.each([
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=a-b',
    'bytes=0-1,5-6',
    'items=0-1',
    'bytes=1.5-2',
    'bytes=--1',
    `bytes=0-${'9'.repeat(400)}`,
  ])('gives the whole file to who asks for "%s"', (range) => expect(of(range)).toBeUndefined());

  it('gives the whole file to who has a part of another one', () => {
    expect(of('bytes=0-99', FILE.etag)).toEqual({ start: 0, end: 99 });
    expect(of('bytes=0-99', '"def"')).toBeUndefined();
    expect(of('bytes=0-99', 'Sun, 22 Nov 2026 08:00:00 GMT')).toBeUndefined();
  });

  it('has no part of an empty file', () => {
    expect(() => rangeIn({ range: 'bytes=0-' }, { sizeBytes: 0, etag: '"0"' })).toThrow(RangeNotSatisfiable);
    expect(() => rangeIn({ range: 'bytes=-1' }, { sizeBytes: 0, etag: '"0"' })).toThrow(RangeNotSatisfiable);
  });
});
