import { TooManyLogins } from '../auth.errors.js';
import { LoginThrottle } from './login-throttle.js';

describe('LoginThrottle', () => {
  let now: number;
  let throttle: LoginThrottle;
  const home = '192.0.2.7';

  beforeEach(() => {
    now = 0;
    throttle = new LoginThrottle({ perAccount: 5, perNetwork: 12 }, () => now);
  });

  const attempts = (count: number, email: string, address: string) => {
    let admitted = 0;
    for (let i = 0; i < count; i++)
      try {
        throttle.admit(email, address);
        admitted += 1;
      } catch (error) {
        if (!(error instanceof TooManyLogins)) throw error;
      }
    return admitted;
  };

  it('admits five failures for an account from one network, then one every twelve seconds', () => {
    expect(attempts(20, 'ann@example.com', home)).toBe(5);
    now += 11_000;
    expect(attempts(20, 'ann@example.com', home)).toBe(0);
    now += 1_001;
    expect(attempts(20, 'ann@example.com', home)).toBe(1);
  });

  it('says how long to wait', () => {
    attempts(5, 'ann@example.com', home);
    now += 2_000;
    expect(() => throttle.admit('ann@example.com', home)).toThrow(
      expect.objectContaining({ retryAfterMs: 10_000, code: 'too-many-logins' }),
    );
  });

  it('does not let a guesser lock the owner out of his own network', () => {
    expect(attempts(100, 'ann@example.com', '198.51.100.1')).toBe(5);
    expect(attempts(1, 'ann@example.com', home)).toBe(1);
  });

  it('counts an account once, however its address is written', () => {
    expect(attempts(5, 'ann@example.com', home)).toBe(5);
    expect(attempts(5, 'Ann@Example.com', home)).toBe(0);
  });

  it('limits what one network tries on all accounts together', () => {
    let admitted = 0;
    for (let i = 0; i < 30; i++) admitted += attempts(1, `user${i}@example.com`, `192.0.2.${i}`);
    expect(admitted).toBe(12);
  });

  it('does not count what it refused, so waiting helps also those who hammer', () => {
    attempts(1_000, 'ann@example.com', home);
    now += 60_000;
    expect(attempts(20, 'ann@example.com', home)).toBe(5);
  });

  it('forgives attempts that were none, so nobody is slowed down by logging in', () => {
    for (let i = 0; i < 100; i++) {
      throttle.admit('ann@example.com', home);
      throttle.forgive('ann@example.com', home);
    }
    expect(attempts(20, 'ann@example.com', home)).toBe(5);
  });

  it('remembers a bounded number of attempts', () => {
    for (let i = 0; i < 60_000; i++) throttle.admit(`user${i}@example.com`, `2001:db8:${i.toString(16)}::1`);
    expect((throttle as unknown as { buckets: Map<string, unknown> }).buckets.size).toBe(50_000);
  });
});
