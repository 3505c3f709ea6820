import {
  fingerprint,
  hashOfToken,
  judgeRefresh,
  newRefreshToken,
  newSalt,
  type StoredRefreshToken,
  successorOf,
} from './refresh-token.js';

describe('judging a presented refresh token', () => {
  const fresh: StoredRefreshToken = {
    expired: false,
    usedSecondsAgo: null,
    usedBy: null,
    successorSalt: null,
  };
  const justUsed: StoredRefreshToken = {
    expired: false,
    usedSecondsAgo: 2,
    usedBy: 'me',
    successorSalt: 'salt',
  };

  it.each<[string, StoredRefreshToken, number, string]>([
    ['a fresh token', fresh, 10, 'rotate'],
    ['an expired token', { ...fresh, expired: true }, 10, 'expired'],
    ['a token that the same client used a moment ago', justUsed, 10, 'repeat'],
    ['one that somebody else used a moment ago', { ...justUsed, usedBy: 'thief' }, 10, 'reused'],
    ['one that was used longer ago', { ...justUsed, usedSecondsAgo: 10 }, 10, 'reused'],
    ['one whose successor was used', { ...justUsed, successorSalt: null }, 10, 'reused'],
    ['one used a moment ago where there is no grace', { ...justUsed, usedSecondsAgo: 0 }, 0, 'reused'],
    [
      'one that was used and has expired since',
      { ...justUsed, expired: true, usedSecondsAgo: 99 },
      10,
      'reused',
    ],
  ])('%s', (_, token, graceSeconds, verdict) => {
    expect(judgeRefresh(token, 'me', graceSeconds)).toBe(verdict);
  });
});

describe('refresh tokens', () => {
  it('are 256 random bits, and stored as a digest', () => {
    const tokens = Array.from({ length: 100 }, newRefreshToken);
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(hashOfToken('a')).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOfToken('a')).not.toBe(hashOfToken('b'));
  });

  it('give the same successor with the same salt, and another with any other part changed', () => {
    const [token, salt] = [newRefreshToken(), newSalt()];
    expect(successorOf(token, salt)).toBe(successorOf(token, salt));
    expect(Buffer.from(successorOf(token, salt), 'base64url')).toHaveLength(32);
    expect(successorOf(newRefreshToken(), salt)).not.toBe(successorOf(token, salt));
    expect(successorOf(token, newSalt())).not.toBe(successorOf(token, salt));
  });

  it('recognise the client that used them', () => {
    const client = { address: '192.0.2.7', userAgent: 'app/1' };
    expect(fingerprint('t', client)).toBe(fingerprint('t', { ...client }));
    expect(fingerprint('t', { ...client, address: '192.0.2.8' })).not.toBe(fingerprint('t', client));
    expect(fingerprint('t', { ...client, userAgent: 'app/2' })).not.toBe(fingerprint('t', client));
    expect(fingerprint('u', client)).not.toBe(fingerprint('t', client));
  });
});
