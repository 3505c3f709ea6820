import { randomBytes } from 'node:crypto';
import { SealingKey } from '#libs/secrets';
import { LOGIN_STATE_SECONDS, LoginStates } from './login-state.js';

const state = { state: 's'.repeat(43), nonce: 'n'.repeat(43), codeVerifier: 'v'.repeat(43) };

describe('LoginStates', () => {
  const states = new LoginStates(new SealingKey(randomBytes(32)), { secure: true });
  const now = 1_000_000;
  const pairOf = (cookie: string) => cookie.split(';')[0]!;

  it('come back from the browser as they went, until they are too old', () => {
    const pair = pairOf(states.cookie(state, now));
    const expiresAt = now + LOGIN_STATE_SECONDS * 1_000;
    expect(states.open(pair, now)).toEqual({ ...state, expiresAt });
    expect(states.open(`a=b; ${pair}; c=d`, expiresAt - 1)).toEqual({ ...state, expiresAt });
    expect(states.open(pair, expiresAt)).toBeUndefined();
  });

  it('are in a cookie that belongs to this host, TLS and no script', () => {
    for (const cookie of [states.cookie(state), states.emptyCookie]) {
      expect(cookie).toMatch(
        /^__Host-navigator-login=[\w-]*; Max-Age=(600|0); Path=\/; HttpOnly; SameSite=Lax; Secure$/,
      );
      expect(cookie.length).toBeLessThan(1_000);
    }
  });

  it('are refused when they are changed, doubled, of another installation, or missing', () => {
    const pair = pairOf(states.cookie(state, now));
    const stranger = new LoginStates(new SealingKey(randomBytes(32)), { secure: true });
    for (const header of [
      undefined,
      '',
      `${pair.slice(0, -6)}AAAAAA`,
      `${pair}; ${pair}`,
      pairOf(stranger.cookie(state, now)),
      pair.replace('__Host-', ''),
      `__Host-navigator-login=${'x'.repeat(3_000)}`,
      states.emptyCookie,
    ])
      expect(states.open(header, now)).toBeUndefined();
  });
});
