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

  it('forgets what is kept of one tenant, in the caches that are named', async () => {
    const caches = Caches.inMemory();
    const [answers, vectors] = [caches.named('answer', NUMBER), caches.named('vector', NUMBER)];
    for (const cache of [answers, vectors])
      for (const tenant of ['one', 'one-more']) await cache.forTenant(tenant).set('a', 1);
    await caches.forgetTenant('one', ['answer']);
    await expect(answers.forTenant('one').get('a')).resolves.toBeUndefined();
    await expect(answers.forTenant('one-more').get('a')).resolves.toBe(1);
    await expect(vectors.forTenant('one').get('a')).resolves.toBe(1);
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

describe('loading through a named cache', () => {
  const DAY_MS = 86_400_000;
  const now = Date.now;
  afterEach(() => {
    Date.now = now;
  });
  const later = (ms: number) => {
    const at = now() + ms;
    Date.now = () => at;
  };
  const cache = (options = {}) => Caches.inMemory().named('numbers', { ...NUMBER, ...options });
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('loads once for all who ask while it loads, and not again while the value is fresh', async () => {
    let loads = 0;
    const numbers = cache();
    const load = async () => {
      await settled();
      return ++loads;
    };
    const all = await Promise.all(Array.from({ length: 200 }, () => numbers.wrap('a', load)));
    expect(new Set(all)).toEqual(new Set([1]));
    await expect(numbers.wrap('a', load)).resolves.toBe(1);
    expect(loads).toBe(1);
  });

  it('loads for each tenant by itself', async () => {
    const numbers = cache();
    const [one, two] = await Promise.all([
      numbers.forTenant('one').wrap('a', async () => 1),
      numbers.forTenant('two').wrap('a', async () => 2),
    ]);
    expect([one, two]).toEqual([1, 2]);
  });

  it('gives a failure to all who wait, and keeps nothing of it', async () => {
    const numbers = cache();
    const fail = async () => {
      await settled();
      throw new Error('no');
    };
    const all = await Promise.allSettled([numbers.wrap('a', fail), numbers.wrap('a', fail)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(numbers.wrap('a', async () => 7)).resolves.toBe(7);
  });

  it('lets a caller leave without taking the value from those who stay', async () => {
    const numbers = cache();
    const { promise, resolve } = Promise.withResolvers<number>();
    const leaving = new AbortController();
    const left = numbers.wrap('a', () => promise, { signal: leaving.signal });
    const stays = numbers.wrap('a', () => promise);
    await settled();
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    resolve(5);
    await expect(stays).resolves.toBe(5);
  });

  it('gives up what is being loaded when nobody waits for it any more', async () => {
    const leaving = new AbortController();
    const given = Promise.withResolvers<AbortSignal>();
    const load = (signal: AbortSignal) => {
      given.resolve(signal);
      return new Promise<number>((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    };
    const left = cache().wrap('a', load, { signal: leaving.signal });
    const signal = await given.promise;
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(signal.aborted).toBe(true);
  });

  it('gives a stale value out at once, and loads a new one behind it once', async () => {
    const numbers = cache({ staleSeconds: 3_600 });
    await numbers.set('a', 1);
    later(70_000);
    let loads = 0;
    const { promise, resolve } = Promise.withResolvers<number>();
    const load = () => {
      loads += 1;
      return promise;
    };
    await expect(numbers.wrap('a', load)).resolves.toBe(1);
    await expect(numbers.wrap('a', load)).resolves.toBe(1);
    await expect(numbers.get('a')).resolves.toBeUndefined();
    resolve(2);
    await settled();
    expect(loads).toBe(1);
    await expect(numbers.wrap('a', load)).resolves.toBe(2);
  });

  it('goes on giving a stale value out when a new one cannot be loaded, to its end', async () => {
    const numbers = cache({ staleSeconds: 3_600 });
    await numbers.set('a', 1);
    later(70_000);
    const fail = () => Promise.reject(new Error('down'));
    await expect(numbers.wrap('a', fail)).resolves.toBe(1);
    await settled();
    await expect(numbers.wrap('a', fail)).resolves.toBe(1);
    later(DAY_MS);
    await expect(numbers.wrap('a', fail)).rejects.toThrow('down');
  });

  it.each([
    [0, 54_000],
    [0.999_999, 65_999],
  ])('spreads the ends of its values by a tenth (%d)', async (random, freshMs) => {
    const numbers = Caches.inMemory().named('numbers', NUMBER, () => random);
    const at = now();
    Date.now = () => at;
    await numbers.set('a', 1);
    Date.now = () => at + freshMs - 2;
    await expect(numbers.get('a')).resolves.toBe(1);
    Date.now = () => at + freshMs + 2;
    await expect(numbers.get('a')).resolves.toBeUndefined();
  });
});
