import {
  formatApiKey,
  hashOfSecret,
  newApiKey,
  parseApiKey,
  publicPrefix,
  secretMatches,
} from './api-key.js';

describe('API keys', () => {
  it('have a form that a scanner finds, and say what they are made of', () => {
    const key = newApiKey();
    const text = formatApiKey(key);
    expect(text).toMatch(/^nav_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    expect(parseApiKey(text)).toEqual(key);
    expect(text.startsWith(publicPrefix(key.publicId))).toBe(true);
  });

  it('are all different and use the whole alphabet evenly', () => {
    const keys = Array.from({ length: 2_000 }, newApiKey);
    expect(new Set(keys.map((key) => key.publicId)).size).toBe(2_000);
    const counts = new Map<string, number>();
    for (const letter of keys.map((key) => key.secret).join(''))
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 86,000 letters, 1,387 of each expected; ten standard deviations either way.
    for (const count of counts.values()) expect(Math.abs(count - 86_000 / 62)).toBeLessThan(370);
  });

  it('are refused at once when any character is wrong, missing or too many', () => {
    const text = formatApiKey({ publicId: 'Ab3dEf6hIj9k', secret: 'S'.repeat(43) });
    expect(parseApiKey(text)).toBeDefined();
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === 'x' ? 'y' : 'x') + text.slice(i + 1);
      expect(parseApiKey(changed)).toBeUndefined();
      expect(parseApiKey(text.slice(0, i) + text.slice(i + 1))).toBeUndefined();
    }
    for (const other of [
      '',
      'nav_',
      `${text}x`,
      ` ${text}`,
      `${text}\n`,
      text.toLowerCase(),
      text.replace('nav', 'NAV'),
    ])
      expect(parseApiKey(other)).toBeUndefined();
  });

  it('match the digest of their own secret only', () => {
    const { secret } = newApiKey();
    expect(secretMatches(secret, hashOfSecret(secret))).toBe(true);
    expect(secretMatches(newApiKey().secret, hashOfSecret(secret))).toBe(false);
    expect(hashOfSecret(secret)).not.toContain(secret);
  });
});
