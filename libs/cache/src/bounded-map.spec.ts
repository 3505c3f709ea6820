import { BoundedMap } from './bounded-map.js';

describe('a bounded map', () => {
  it('forgets what was used least recently once it is full', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1).set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([...map.keys()]).toEqual(['a', 'c']);
  });

  it('forgets until what is left weighs little enough', () => {
    const map = new BoundedMap<string, string>(100, 10, (value) => value.length);
    map.set('a', '4444').set('b', '4444').set('c', '22');
    map.set('d', '666666');
    expect([...map.keys()]).toEqual(['c', 'd']);
  });

  it('weighs a value once when it is put again, and not at all when it is gone', () => {
    const map = new BoundedMap<string, string>(100, 10, (value) => value.length);
    for (let i = 0; i < 20; i++) map.set('a', '4444');
    map.set('b', '666666');
    expect(map.size).toBe(2);
    map.delete('b');
    map.set('c', '666666');
    expect(map.size).toBe(2);
    map.clear();
    map.set('d', '0123456789');
    expect([...map.keys()]).toEqual(['d']);
  });

  it('does not keep what is too heavy for it, nor what that was to replace', () => {
    const map = new BoundedMap<string, string>(100, 10, (value) => value.length);
    map.set('a', '1').set('b', '1');
    map.set('a', '12345678901');
    expect([...map.keys()]).toEqual(['b']);
  });
});
