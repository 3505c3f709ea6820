import { createHmac } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisConnection } from '#libs/cache';
import type { Policy } from '#libs/resilience';
import {
  ATTEMPT_KINDS,
  type AttemptKeys,
  type Attempts,
  attemptsOf,
  type AttemptStore,
  isEmpty,
  type ProcessAttempts,
} from './login-attempts.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** After this there is nothing left in it that would decide anything. */
const KEPT_MS: Record<keyof Attempts, number> = {
  network: 2 * MINUTE_MS,
  account: 2 * HOUR_MS,
  pair: 2 * HOUR_MS,
  familiar: 30 * 24 * HOUR_MS,
};
/** Each time it was another process that was quicker, of a handful. */
const MOST_TRIES = 10;

const READ = `
local time = redis.call('TIME')
return { tostring(time[1] * 1000 + math.floor(time[2] / 1000)), unpack(redis.call('MGET', unpack(KEYS))) }`;

/** Writes all unless one is not any more what it was. Of each key: what it was, what it is to be, for how long. */
const WRITE = `
for i = 1, #KEYS do
  if (redis.call('GET', KEYS[i]) or '') ~= ARGV[3 * i - 2] then return 0 end
end
for i = 1, #KEYS do
  if ARGV[3 * i - 1] == '' then redis.call('DEL', KEYS[i])
  else redis.call('SET', KEYS[i], ARGV[3 * i - 1], 'PX', ARGV[3 * i]) end
end
return 1`;

const time = z.number().min(0);
const SHAPES: Record<keyof Attempts, z.ZodType<object>> = {
  network: z.object({ level: time, at: time }),
  account: z.object({ level: time, at: time }),
  pair: z.object({ level: time, at: time, strikes: z.number().int().min(0).max(100), until: time }),
  familiar: z.object({ at: time }),
};

/**
 * Failed logins in a Redis that processes share, by its clock: limits hold for all processes together, and outlive their
 * restarts. While it cannot be reached this process goes on with what it knows itself, which is what it saw last. Whoever
 * can write to that Redis can make it forget, or lock somebody out of a network for a quarter of an hour.
 */
export class SharedAttempts implements AttemptStore {
  /** One after the other: two of this process at once would only be in each other's way. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly connection: Pick<RedisConnection, 'send'>,
    private readonly policy: Pick<Policy, 'execute'>,
    private readonly local: ProcessAttempts,
    /** Keys hold mail addresses and networks, which the server is not shown. */
    private readonly pepper: string,
  ) {}

  change(keys: AttemptKeys, work: (attempts: Attempts, now: number) => void): Promise<void> {
    const change = this.turn.then(() => this.changeNow(keys, work));
    this.turn = change.catch(() => undefined);
    return change;
  }

  private async changeNow(keys: AttemptKeys, work: (attempts: Attempts, now: number) => void): Promise<void> {
    const names = ATTEMPT_KINDS.map((kind) => this.nameOf(kind, keys[kind]));
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const [now, ...before] = (await this.run('read', READ, names)) ?? [];
      if (now === undefined) break;
      const attempts = attemptsOf((kind) => parsed(kind, before[ATTEMPT_KINDS.indexOf(kind)]));
      // What is known of it is known here too from now on, in case that nobody else can be asked.
      this.local.put(keys, structuredClone(attempts));
      work(attempts, Number(now));
      const written = await this.run('write', WRITE, names, changes(before, attempts));
      if (written === undefined) break;
      if (Number(written) !== 1) continue;
      this.local.put(keys, attempts);
      return;
    }
    await this.local.change(keys, work);
  }

  /** undefined: it cannot be reached, or refuses. */
  private async run(
    operation: 'read' | 'write',
    script: string,
    names: string[],
    values: string[] = [],
  ): Promise<(string | null)[] | undefined> {
    const command = (redis: Redis) =>
      redis.eval(script, names.length, ...names, ...values) as Promise<(string | null)[]>;
    const send = (signal: AbortSignal) => this.connection.send(command, signal);
    return this.policy.execute(send, { operation: `login-attempts-${operation}` }).catch(() => undefined);
  }

  private nameOf(kind: keyof Attempts, key: string): string {
    const digest = createHmac('sha256', this.pepper).update(`${kind} ${key}`).digest('base64url');
    return `navigator:login:${kind}:${digest.slice(0, 22)}`;
  }
}

function changes(before: (string | null | undefined)[], attempts: Attempts): string[] {
  return ATTEMPT_KINDS.flatMap((kind, i) => {
    const entry = attempts[kind];
    return [before[i] ?? '', isEmpty(entry) ? '' : JSON.stringify(entry), String(KEPT_MS[kind])];
  });
}

function parsed(kind: keyof Attempts, text: string | null | undefined): object | undefined {
  try {
    return text ? SHAPES[kind].parse(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}
