import { entryKey } from '../entry.js';
import { Seal } from './seal.js';

const SECRET = Buffer.alloc(32, 1);
const KEY = entryKey('answers', 'tenant-1', 'question');
const KEPT = { value: { writtenAt: 1, freshUntil: 2, json: '{"text":"$500\\n"}' }, expires: 3 };

describe('a seal', () => {
  const seal = new Seal(SECRET);
  const sealed = seal.seal(KEY, KEPT);

  it('gives back exactly what was sealed', () => {
    expect(seal.open(KEY, sealed)).toEqual(KEPT);
    expect(new Seal(SECRET).open(KEY, sealed)).toEqual(KEPT);
  });

  it('keeps a value without an end', () => {
    const endless = { ...KEPT, expires: undefined };
    expect(seal.open(KEY, seal.seal(KEY, endless))).toEqual(endless);
  });

  it('says of whom a value is and when it was written, in one line of JSON before it', () => {
    const [head, json] = sealed.split('\n') as [string, string];
    expect(JSON.parse(head.slice(head.indexOf('{')))).toEqual({
      cache: 'answers',
      tenant: 'tenant-1',
      writtenAt: 1,
      freshUntil: 2,
      expires: 3,
    });
    expect(JSON.parse(json)).toEqual({ text: '$500\n' });
  });

  it.each([
    ['another tenant', entryKey('answers', 'tenant-2', 'question')],
    ['another cache', entryKey('vectors', 'tenant-1', 'question')],
    ['another question', entryKey('answers', 'tenant-1', 'other')],
  ])('does not believe a value that was sealed for %s', (_, key) => {
    expect(seal.open(KEY, seal.seal(key, KEPT))).toBe('forged');
  });

  it('does not believe another installation', () => {
    expect(seal.open(KEY, new Seal(Buffer.alloc(32, 2)).seal(KEY, KEPT))).toBe('forged');
  });

  it('believes no value of which a single character was changed', () => {
    for (let i = 0; i < sealed.length; i++) {
      const changed = `${sealed.slice(0, i)}${sealed[i] === '9' ? '8' : '9'}${sealed.slice(i + 1)}`;
      expect(typeof seal.open(KEY, changed)).toBe('string');
    }
  });

  it('recognises a value that was cut off, wherever', () => {
    for (let i = 0; i < sealed.length; i++) expect(seal.open(KEY, sealed.slice(0, i))).toBe('damaged');
  });

  it.each([
    ['another format', sealed.replace(/^1/, '2'), 'version'],
    ['something else', 'hello', 'damaged'],
    ['nothing', '', 'damaged'],
    ['JSON', '{"value":{"text":"$5"},"expires":99999999999999}', 'damaged'],
  ])('rejects %s', (_, text, reason) => {
    expect(seal.open(KEY, text)).toBe(reason);
  });
});
