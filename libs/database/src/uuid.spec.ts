import { uuidv5, uuidv7 } from './uuid.js';

describe('uuidv5', () => {
  it('agrees with the test vector of RFC 9562 (DNS namespace, www.example.com)', () => {
    expect(uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('differs by namespace', () => {
    const [a, b] = ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', '6ba7b811-9dad-11d1-80b4-00c04fd430c8'];
    expect(uuidv5(a!, 'x')).not.toBe(uuidv5(b!, 'x'));
  });
});

describe('uuidv7', () => {
  it('sorts by time and carries its version and variant', () => {
    const later = Date.now() + 60_000;
    expect(uuidv7() < uuidv7(() => later)).toBe(true);
    expect(uuidv7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('does not go back with the clock', () => {
    const later = Date.now() + 120_000;
    const millisecondsOf = (id: string) => id.slice(0, 13);
    const before = uuidv7(() => later);
    expect(millisecondsOf(uuidv7(() => later - 3_600_000))).toBe(millisecondsOf(before));
  });
});
