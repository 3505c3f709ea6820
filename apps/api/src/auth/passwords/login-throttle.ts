import { networkOf } from '#libs/http';
import { TooManyLogins } from '../auth.errors.js';

export interface LoginLimits {
  /** Failures a minute for one account from one network. */
  perAccount: number;
  /** Failures a minute from one network, for whatever accounts. */
  perNetwork: number;
}

const MINUTE_MS = 60_000;
/** The one used least recently is forgotten beyond this; it could only have been refused a few times more. */
const MOST_BUCKETS = 50_000;

/**
 * Slows guessing down. Limits hold for an account *from a network*, never for an account as such: whoever guesses at
 * somebody's password cannot lock him out of his own network. Kept in this process, so with N processes they are N
 * times as wide; the limit of the route class stands in front of them.
 */
export class LoginThrottle {
  private readonly buckets = new Map<string, { level: number; at: number }>();

  constructor(
    private readonly limits: LoginLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Counts an attempt before it is made, or many at once would all pass. Give it back with `forgive` unless the
   * password was wrong.
   *
   * @throws TooManyLogins
   */
  admit(email: string, address: string): void {
    const buckets = this.bucketsOf(email, address);
    const waitMs = Math.max(...buckets.map(([key, perMinute]) => this.waitMs(key, perMinute)));
    if (waitMs > 0) throw new TooManyLogins(Math.ceil(waitMs / 1_000));
    for (const [key, perMinute] of buckets) this.pour(key, perMinute, 1);
  }

  forgive(email: string, address: string): void {
    for (const [key, perMinute] of this.bucketsOf(email, address)) this.pour(key, perMinute, -1);
  }

  private bucketsOf(email: string, address: string): [key: string, perMinute: number][] {
    const network = networkOf(address);
    return [
      [`${network} ${email.toLowerCase()}`, this.limits.perAccount],
      [network, this.limits.perNetwork],
    ];
  }

  /** A leaky bucket: it holds `perMinute` attempts and loses them evenly within a minute. */
  private levelOf(key: string, perMinute: number): number {
    const bucket = this.buckets.get(key);
    if (!bucket) return 0;
    return Math.max(0, bucket.level - ((this.now() - bucket.at) * perMinute) / MINUTE_MS);
  }

  private waitMs(key: string, perMinute: number): number {
    const excess = this.levelOf(key, perMinute) + 1 - perMinute;
    return (excess * MINUTE_MS) / perMinute;
  }

  private pour(key: string, perMinute: number, amount: number): void {
    const level = Math.max(0, this.levelOf(key, perMinute) + amount);
    this.buckets.delete(key);
    if (level > 0) this.buckets.set(key, { level, at: this.now() });
    if (this.buckets.size > MOST_BUCKETS) this.buckets.delete(this.buckets.keys().next().value!);
  }
}
