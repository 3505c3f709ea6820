import { randomUUID } from 'node:crypto';
import { SealingKey } from '#libs/secrets';
import { newChallenge, openChallenge, passwordMark } from './login-challenge.js';

describe('the challenge between the two steps of a login', () => {
  const sealing = new SealingKey(Buffer.alloc(32, 1));
  const user = { tenantId: randomUUID(), userId: randomUUID(), passwordHash: '$argon2id$one' };

  it('says whose password was shown, for five minutes', () => {
    const challenge = newChallenge(sealing, user, 1_000);
    expect(openChallenge(sealing, challenge, 300_999)).toMatchObject({
      tenantId: user.tenantId,
      userId: user.userId,
      passwordMark: passwordMark('$argon2id$one'),
    });
    expect(openChallenge(sealing, challenge, 301_000)).toBeUndefined();
  });

  it('does not show who it is, nor the hash', () => {
    const text = Buffer.from(newChallenge(sealing, user), 'base64url').toString('latin1');
    expect(text).not.toContain(user.userId);
    expect(text).not.toContain('argon2id');
  });

  it('is taken from nobody else', () => {
    const challenge = newChallenge(sealing, user);
    const other = new SealingKey(Buffer.alloc(32, 2));
    const altered = `${challenge.slice(0, -2)}${challenge.endsWith('AA') ? 'BB' : 'AA'}`;
    for (const presented of [altered, '', 'x', challenge.slice(4), newChallenge(other, user)])
      expect(openChallenge(sealing, presented)).toBeUndefined();
    const forAnother = sealing.seal(JSON.stringify({}), 'mail:1').toString('base64url');
    expect(openChallenge(sealing, forAnother)).toBeUndefined();
  });

  it('has a mark that changes with the password', () => {
    expect(passwordMark('$argon2id$one')).not.toBe(passwordMark('$argon2id$two'));
  });
});
