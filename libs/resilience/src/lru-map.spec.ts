import { LruMap } from './lru-map.js';

describe('a map of the latest used', () => {
  it('gives up what was not asked for the longest, and tells', () => {
    const evicted: [number, string][] = [];
    const map = new LruMap<number>(2, (value, key) => evicted.push([value, key]));
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect(evicted).toEqual([[2, 'b']]);
    expect(map.get('b')).toBeUndefined();
    expect([...map.oldestFirst()]).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
  });

  it('forgets what is deleted, and in the end everything, without telling', () => {
    const evicted: number[] = [];
    const map = new LruMap<number>(2, (value) => evicted.push(value));
    map.set('a', 1);
    map.set('b', 2);
    map.delete('a');
    expect([map.size, map.get('a')]).toEqual([1, undefined]);
    map.clear();
    expect(map.size).toBe(0);
    expect(evicted).toEqual([]);
  });
});
