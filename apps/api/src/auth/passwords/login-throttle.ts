import { networkOf } from '#libs/http';
import { TooManyLogins } from '../auth.errors.js';

export interface LoginLimits {
  /** Failures a minute for one account from one network. */
  perAccount: number;
  /** Failures a minute from one network, for whatever accounts. */
  perNetwork: number;
  /** Failures an hour for one account from all networks, beyond which strange networks have one try each. */
  perAccountHour?: number;
}

interface Bucket {
  level: number;
  at: number;
}

/** How often an account was locked for a network, and until when it is. */
interface Lock {
  strikes: number;
  until: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LONGEST_LOCK_MS = 15 * MINUTE_MS;
const FAILURES_AN_HOUR = 20;
/** Where its owner logged in from within this, guesses from elsewhere are no reason to be strict. */
const FAMILIAR_MS = 30 * 24 * HOUR_MS;
/** Those used least recently are forgotten beyond this; they could only have been refused a few times more. */
const MOST_ENTRIES = 50_000;
const FORGOTTEN_AT_ONCE = 5_000;

/**
 * Slows guessing down. Limits hold for an account *from a network*, never for an account as such: whoever guesses at
 * somebody's password cannot lock him out.
 *
 * From one network: so many failures a minute, then locks of 12, 24, 48 seconds … up to 15 minutes, until it has been
 * quiet for an hour. An account that is tried from many networks is under attack: networks that its owner has not used
 * lately have one try every 15 minutes each, so its owner still has his, on a new network as well; and he can ask for a
 * new password, which shows who he is in another way.
 *
 * Kept in this process, so with N processes limits are N times as wide, and a restart forgets them; the limit of the
 * route class stands in front of them.
 */
export class LoginThrottle {
  private readonly buckets = new Map<string, Bucket>();
  private readonly locks = new Map<string, Lock>();
  private readonly familiar = new Map<string, number>();

  constructor(
    private readonly limits: LoginLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Counts an attempt before it is made, or many at once would all pass. Give it back with `forgive` unless the
   * password was wrong, and say with `succeed` when it was right.
   *
   * @throws TooManyLogins
   */
  admit(account: string, address: string): void {
    const { network, pair, name } = keysOf(account, address);
    const { perAccount, perNetwork } = this.limits;
    const networkWaitMs =
      (this.levelOf(network, perNetwork, MINUTE_MS) + 1 - perNetwork) * (MINUTE_MS / perNetwork);
    const waitMs = Math.max((this.locks.get(pair)?.until ?? 0) - this.now(), networkWaitMs);
    if (waitMs > 0) throw new TooManyLogins(Math.ceil(waitMs / 1_000));
    const isStrict = this.isUnderAttack(name) && !this.isFamiliar(pair);
    this.pour(network, perNetwork, MINUTE_MS, 1);
    this.pour(name, this.perAccountHour, HOUR_MS, 1);
    const level = this.pour(pair, perAccount, MINUTE_MS, 1);
    if (isStrict) this.lock(pair, LONGEST_LOCK_MS);
    else if (level > perAccount - 1) this.lock(pair);
  }

  /** The attempt was none: nobody looked at the password, or it was right. */
  forgive(account: string, address: string): void {
    const { network, pair, name } = keysOf(account, address);
    this.pour(network, this.limits.perNetwork, MINUTE_MS, -1);
    this.pour(name, this.perAccountHour, HOUR_MS, -1);
    this.pour(pair, this.limits.perAccount, MINUTE_MS, -1);
    const lock = this.locks.get(pair);
    if (lock && lock.until > this.now()) remember(this.locks, pair, { strikes: lock.strikes - 1, until: 0 });
  }

  /** The password was right. */
  succeed(account: string, address: string): void {
    this.forgive(account, address);
    this.know(account, address);
  }

  /** Its owner is here: what was tried before from this network is forgotten, and he is not a stranger in it any more. */
  know(account: string, address: string): void {
    const { pair } = keysOf(account, address);
    this.buckets.delete(pair);
    this.locks.delete(pair);
    remember(this.familiar, pair, this.now());
  }

  private get perAccountHour(): number {
    return this.limits.perAccountHour ?? FAILURES_AN_HOUR;
  }

  private isUnderAttack(name: string): boolean {
    return this.levelOf(name, this.perAccountHour, HOUR_MS) >= this.perAccountHour;
  }

  private isFamiliar(pair: string): boolean {
    const at = this.familiar.get(pair);
    return at !== undefined && this.now() - at < FAMILIAR_MS;
  }

  /** Twice as long as the time before, unless there was none within the last hour. */
  private lock(pair: string, atLeastMs = MINUTE_MS / this.limits.perAccount): void {
    const known = this.locks.get(pair);
    const strikes = known && this.now() - known.until < HOUR_MS ? known.strikes : 0;
    const ms = Math.min(LONGEST_LOCK_MS, atLeastMs * 2 ** strikes);
    remember(this.locks, pair, { strikes: strikes + 1, until: this.now() + ms });
  }

  /** A leaky bucket: it loses `most` attempts evenly within a period. */
  private levelOf(key: string, most: number, periodMs: number): number {
    const bucket = this.buckets.get(key);
    if (!bucket) return 0;
    return Math.max(0, bucket.level - ((this.now() - bucket.at) * most) / periodMs);
  }

  private pour(key: string, most: number, periodMs: number, amount: number): number {
    // What is more than twice full would only stay so for longer.
    const level = Math.min(2 * most, Math.max(0, this.levelOf(key, most, periodMs) + amount));
    this.buckets.delete(key);
    if (level > 0) remember(this.buckets, key, { level, at: this.now() });
    return level;
  }
}

function keysOf(account: string, address: string): { network: string; pair: string; name: string } {
  const network = networkOf(address);
  const name = account.toLowerCase();
  return { network, pair: `${network} ${name}`, name: `account ${name}` };
}

function remember<V>(entries: Map<string, V>, key: string, value: V): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= MOST_ENTRIES) return;
  // Many at once: to find the first one takes a map longer the more were taken from its beginning before.
  for (const oldest of [...entries.keys()].slice(0, FORGOTTEN_AT_ONCE)) entries.delete(oldest);
}
