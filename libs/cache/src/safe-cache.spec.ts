import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { BoundedMap } from './bounded-map.js';
import { Caches } from './cache.module.js';

const memory = () => createCache({ stores: [new Keyv({ store: new BoundedMap(100) })] });

describe('a named cache', () => {
  it('gives back what was put in, and undefined for what was not', async () => {
    const answers = new Caches(memory()).named<{ text: string }>('answer', 60);
    await answers.set('a', { text: '$500' });
    await expect(answers.get('a')).resolves.toEqual({ text: '$500' });
    await expect(answers.get('b')).resolves.toBeUndefined();
  });

  it('does not see the keys of another cache on the same store', async () => {
    const caches = new Caches(memory());
    await caches.named('answer', 60).set('a', 1);
    await expect(caches.named('embedding', 60).get('a')).resolves.toBeUndefined();
  });

  it('counts a failing store as a miss and never throws', async () => {
    const broken = {
      get: () => Promise.reject(new Error('down')),
      set: () => Promise.reject(new Error('down')),
    };
    const cache = new Caches(broken as never).named('answer', 60);
    await expect(cache.set('a', 1)).resolves.toBeUndefined();
    await expect(cache.get('a')).resolves.toBeUndefined();
  });
});

describe('a bounded map', () => {
  it('forgets what was used least recently once it is full', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([...map.keys()]).toEqual(['a', 'c']);
  });
});
