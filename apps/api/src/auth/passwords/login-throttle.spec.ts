import { TooManyLogins } from '../auth.errors.js';
import { ProcessAttempts } from './login-attempts.js';
import { LoginThrottle } from './login-throttle.js';

describe('LoginThrottle', () => {
  let now: number;
  let store: ProcessAttempts;
  let throttle: LoginThrottle;
  const home = '192.0.2.7';

  beforeEach(() => {
    now = 1_000_000_000;
    store = new ProcessAttempts(() => now);
    throttle = new LoginThrottle({ perAccount: 5, perNetwork: 12 }, store);
  });

  const attempts = async (count: number, email: string, address: string) => {
    let admitted = 0;
    for (let i = 0; i < count; i++)
      try {
        await throttle.admit(email, address);
        admitted += 1;
      } catch (error) {
        if (!(error instanceof TooManyLogins)) throw error;
      }
    return admitted;
  };

  it('admits five failures for an account from one network, then one every twelve seconds', async () => {
    expect(await attempts(20, 'ann@example.com', home)).toBe(5);
    now += 11_000;
    expect(await attempts(20, 'ann@example.com', home)).toBe(0);
    now += 1_001;
    expect(await attempts(20, 'ann@example.com', home)).toBe(1);
  });

  it('says how long to wait', async () => {
    await attempts(5, 'ann@example.com', home);
    now += 2_000;
    await expect(throttle.admit('ann@example.com', home)).rejects.toThrow(
      expect.objectContaining({ retryAfterMs: 10_000, code: 'too-many-logins' }),
    );
  });

  it('does not let a guesser lock the owner out of his own network', async () => {
    expect(await attempts(100, 'ann@example.com', '198.51.100.1')).toBe(5);
    expect(await attempts(1, 'ann@example.com', home)).toBe(1);
  });

  it('counts an account once, however its address is written', async () => {
    expect(await attempts(5, 'ann@example.com', home)).toBe(5);
    expect(await attempts(5, 'Ann@Example.com', home)).toBe(0);
  });

  it('limits what one network tries on all accounts together', async () => {
    let admitted = 0;
    for (let i = 0; i < 30; i++) admitted += await attempts(1, `user${i}@example.com`, `192.0.2.${i}`);
    expect(admitted).toBe(12);
  });

  it('does not count what it refused, so waiting helps also those who hammer', async () => {
    await attempts(1_000, 'ann@example.com', home);
    now += 60_000;
    expect(await attempts(20, 'ann@example.com', home)).toBe(5);
  });

  it('locks twice as long each time, up to fifteen minutes, until an hour was quiet', async () => {
    throttle = new LoginThrottle({ perAccount: 5, perNetwork: 12, perAccountHour: 1_000 }, store);
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      await attempts(20, 'ann@example.com', home);
      try {
        await throttle.admit('ann@example.com', home);
      } catch (error) {
        const { retryAfterMs } = error as TooManyLogins;
        waits.push(retryAfterMs! / 1_000);
        now += retryAfterMs!;
      }
    }
    expect(waits).toEqual([12, 24, 48, 96, 192, 384, 768, 900, 900, 900, 900, 900]);
    now += 3_600_001;
    await attempts(20, 'ann@example.com', home);
    await expect(throttle.admit('ann@example.com', home)).rejects.toThrow(
      expect.objectContaining({ retryAfterMs: 12_000 }),
    );
  });

  it('forgives attempts that were none, so nobody is slowed down by logging in', async () => {
    for (let i = 0; i < 100; i++) {
      await throttle.admit('ann@example.com', home);
      await throttle.forgive('ann@example.com', home);
    }
    expect(await attempts(20, 'ann@example.com', home)).toBe(5);
  });

  it('takes back the lock of an attempt that was none', async () => {
    await attempts(5, 'ann@example.com', home);
    await throttle.forgive('ann@example.com', home);
    expect(await attempts(20, 'ann@example.com', home)).toBe(1);
  });

  it('forgets what was tried from a network once its owner has logged in from there', async () => {
    await attempts(4, 'ann@example.com', home);
    await throttle.admit('ann@example.com', home);
    await throttle.succeed('ann@example.com', home);
    expect(await attempts(20, 'ann@example.com', home)).toBe(5);
  });

  describe('an account that is tried from many networks', () => {
    const attack = async () => {
      for (let i = 0; i < 40; i++) await attempts(1, 'ann@example.com', `198.51.${i}.1`);
    };

    it('leaves each strange network one try every fifteen minutes', async () => {
      await attack();
      expect(await attempts(20, 'ann@example.com', '203.0.113.1')).toBe(1);
      now += 15 * 60_000 - 1;
      expect(await attempts(20, 'ann@example.com', '203.0.113.1')).toBe(0);
      now += 2;
      expect(await attempts(1, 'ann@example.com', '203.0.113.1')).toBe(1);
    });

    it('leaves its owner all of his tries where he logged in before, and one wherever he is', async () => {
      await throttle.admit('ann@example.com', home);
      await throttle.succeed('ann@example.com', home);
      await attack();
      expect(await attempts(20, 'ann@example.com', home)).toBe(5);
      expect(await attempts(20, 'ann@example.com', '203.0.113.1')).toBe(1);
    });

    it('is an account like any other again when it was quiet for a while', async () => {
      await attack();
      now += 2 * 3_600_000;
      expect(await attempts(20, 'ann@example.com', '203.0.113.1')).toBe(5);
    });
  });

  it('remembers a bounded number of attempts', async () => {
    for (let i = 0; i < 60_000; i++)
      await throttle.admit(`user${i}@example.com`, `2001:db8:${i.toString(16)}::1`);
    expect(store.size).toBeLessThanOrEqual(3 * 50_000);
  });
});
