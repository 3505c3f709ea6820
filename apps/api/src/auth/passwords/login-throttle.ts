import { networkOf } from '#libs/http';
import { TooManyLogins } from '../auth.errors.js';
import {
  type AttemptKeys,
  type Attempts,
  type AttemptStore,
  type Bucket,
  ProcessAttempts,
} from './login-attempts.js';

export interface LoginLimits {
  /** Failures a minute for one account from one network. */
  perAccount: number;
  /** Failures a minute from one network, for whatever accounts. */
  perNetwork: number;
  /** Failures an hour for one account from all networks, beyond which strange networks have one try each. */
  perAccountHour?: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LONGEST_LOCK_MS = 15 * MINUTE_MS;
const FAILURES_AN_HOUR = 20;
/** Where its owner logged in from within this, guesses from elsewhere are no reason to be strict. */
const FAMILIAR_MS = 30 * 24 * HOUR_MS;
/**
 * Slows guessing down. Limits hold for an account *from a network*, never for an account as such: whoever guesses at
 * somebody's password cannot lock him out.
 *
 * From one network: so many failures a minute, then locks of 12, 24, 48 seconds … up to 15 minutes, until it has been
 * quiet for an hour. An account that is tried from many networks is under attack: networks that its owner has not used
 * lately have one try every 15 minutes each, so its owner still has his, on a new network as well; and he can ask for a
 * new password, which shows who he is in another way.
 *
 * Where they are remembered is the store's business; the limit of the route class stands in front of them.
 */
export class LoginThrottle {
  constructor(
    private readonly limits: LoginLimits,
    private readonly store: AttemptStore = new ProcessAttempts(),
  ) {}

  /**
   * Counts an attempt before it is made, or many at once would all pass. Give it back with `forgive` unless the
   * password was wrong, and say with `succeed` when it was right.
   *
   * @throws TooManyLogins
   */
  admit(account: string, address: string): Promise<void> {
    const { perAccount, perNetwork } = this.limits;
    return this.store.change(keysOf(account, address), ({ network, account, pair, familiar }, now) => {
      const networkLevel = levelOf(network, perNetwork, MINUTE_MS, now);
      const networkWaitMs = (networkLevel + 1 - perNetwork) * (MINUTE_MS / perNetwork);
      const waitMs = Math.max(pair.until - now, networkWaitMs);
      if (waitMs > 0) throw new TooManyLogins(Math.ceil(waitMs / 1_000));
      const isAttacked = levelOf(account, this.perAccountHour, HOUR_MS, now) >= this.perAccountHour;
      const isStranger = familiar.at === 0 || now - familiar.at >= FAMILIAR_MS;
      pour(network, perNetwork, MINUTE_MS, 1, now);
      pour(account, this.perAccountHour, HOUR_MS, 1, now);
      pour(pair, perAccount, MINUTE_MS, 1, now);
      if (isAttacked && isStranger) lock(pair, LONGEST_LOCK_MS, now);
      else if (pair.level > perAccount - 1) lock(pair, MINUTE_MS / perAccount, now);
    });
  }

  /** The attempt was none: nobody looked at the password, or it was right. */
  forgive(account: string, address: string): Promise<void> {
    return this.store.change(keysOf(account, address), (attempts, now) => this.giveBack(attempts, now));
  }

  /** The password was right. */
  succeed(account: string, address: string): Promise<void> {
    return this.store.change(keysOf(account, address), (attempts, now) => {
      this.giveBack(attempts, now);
      welcome(attempts, now);
    });
  }

  /** Its owner is here: what was tried before from this network is forgotten, and he is not a stranger in it any more. */
  know(account: string, address: string): Promise<void> {
    return this.store.change(keysOf(account, address), welcome);
  }

  private giveBack({ network, account, pair }: Attempts, now: number): void {
    pour(network, this.limits.perNetwork, MINUTE_MS, -1, now);
    pour(account, this.perAccountHour, HOUR_MS, -1, now);
    pour(pair, this.limits.perAccount, MINUTE_MS, -1, now);
    if (pair.until > now) Object.assign(pair, { strikes: pair.strikes - 1, until: 0 });
  }

  private get perAccountHour(): number {
    return this.limits.perAccountHour ?? FAILURES_AN_HOUR;
  }
}

function welcome({ pair, familiar }: Attempts, now: number): void {
  Object.assign(pair, { level: 0, strikes: 0, until: 0 });
  familiar.at = now;
}

/** Twice as long as the time before, unless there was none within the last hour. */
function lock(pair: Attempts['pair'], atLeastMs: number, now: number): void {
  if (now - pair.until >= HOUR_MS) pair.strikes = 0;
  pair.until = now + Math.min(LONGEST_LOCK_MS, atLeastMs * 2 ** pair.strikes);
  pair.strikes += 1;
}

/** It loses `most` attempts evenly within a period. */
function levelOf({ level, at }: Bucket, most: number, periodMs: number, now: number): number {
  return Math.max(0, level - (Math.max(0, now - at) * most) / periodMs);
}

function pour(bucket: Bucket, most: number, periodMs: number, amount: number, now: number): void {
  // What is more than twice full would only stay so for longer.
  bucket.level = Math.min(2 * most, Math.max(0, levelOf(bucket, most, periodMs, now) + amount));
  bucket.at = now;
}

function keysOf(account: string, address: string): AttemptKeys {
  const network = networkOf(address);
  const name = account.toLowerCase();
  return { network, account: name, pair: `${network} ${name}`, familiar: `${network} ${name}` };
}
