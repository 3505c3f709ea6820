import { z } from 'zod';
import { Caches } from './cache.module.js';

const TEXT = { ttlSeconds: 60, schema: z.object({ text: z.string() }) };
const NUMBER = { ttlSeconds: 60, schema: z.number() };

describe('a named cache', () => {
  it('gives back what was put in, and undefined for what was not or was deleted', async () => {
    const answers = Caches.inMemory().named('answer', TEXT);
    await answers.set('a', { text: '$500' });
    await expect(answers.get('a')).resolves.toEqual({ text: '$500' });
    await expect(answers.get('b')).resolves.toBeUndefined();
    await answers.delete('a');
    await expect(answers.get('a')).resolves.toBeUndefined();
  });

  it('keeps what was put in, whatever is done to it later', async () => {
    const answers = Caches.inMemory().named('answer', TEXT);
    const value = { text: '$500' };
    await answers.set('a', value);
    value.text = 'changed';
    (await answers.get('a'))!.text = 'changed';
    await expect(answers.get('a')).resolves.toEqual({ text: '$500' });
  });

  it('sees neither the keys of another cache nor those of another tenant', async () => {
    const caches = Caches.inMemory();
    const mine = caches.named('answer', NUMBER);
    await mine.set('a', 1);
    await mine.forTenant('one').set('a', 2);
    await expect(caches.named('embedding', NUMBER).get('a')).resolves.toBeUndefined();
    await expect(mine.forTenant('two').get('a')).resolves.toBeUndefined();
    await expect(mine.forTenant('one').get('a')).resolves.toBe(2);
    await expect(mine.get('a')).resolves.toBe(1);
  });

  it('keeps tenants and keys apart whatever characters they have', async () => {
    const cache = Caches.inMemory().named('answer', NUMBER);
    await cache.forTenant('a:b').set('c', 1);
    await expect(cache.forTenant('a').get('b:c')).resolves.toBeUndefined();
  });

  it('deletes a value of another shape and counts it as a miss', async () => {
    const caches = Caches.inMemory();
    await caches.named('answer', NUMBER).set('a', 1);
    await expect(caches.named('answer', TEXT).get('a')).resolves.toBeUndefined();
    await expect(caches.named('answer', NUMBER).get('a')).resolves.toBeUndefined();
  });

  it('leaves one cache its room when another one is flooded', async () => {
    const caches = Caches.inMemory({ maxEntries: 10, maxBytes: 1_000_000 });
    const [small, flooded] = [caches.named('small', NUMBER), caches.named('flooded', NUMBER)];
    await small.set('a', 1);
    for (let i = 0; i < 100; i++) await flooded.set(String(i), i);
    await expect(small.get('a')).resolves.toBe(1);
    await expect(flooded.get('89')).resolves.toBeUndefined();
    await expect(flooded.get('99')).resolves.toBe(99);
  });

  it('counts failing stores as a miss and never throws', async () => {
    const down = () => Promise.reject(new Error('down'));
    const cache = new Caches({ stores: [{ get: down }], set: down, del: down } as never).named('a', NUMBER);
    await expect(cache.set('a', 1)).resolves.toBeUndefined();
    await expect(cache.get('a')).resolves.toBeUndefined();
    await expect(cache.delete('a')).resolves.toBeUndefined();
  });
});
