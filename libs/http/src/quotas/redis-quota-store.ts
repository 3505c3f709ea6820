import { createHash, randomUUID } from 'node:crypto';
import type { RedisConnection } from '#libs/cache';
import type { Policy } from '#libs/resilience';
import type { Drawing, QuotaStore, Standing } from './quota-store.js';

/** A process that was silent for so long is not counted any more. */
const MEMBER_MS = 5_000;
const PREFIX = 'navigator:quota:';
const MEMBERS = `${PREFIX}processes`;

/**
 * The generic cell rate algorithm for some keys in one step, by the clock of the server. A key holds the time at which its
 * quota is whole again, in milliseconds since 1970. See `Drawing` for the arguments and `Standing` for the answer.
 */
const EXCHANGE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local member, member_ms = ARGV[1], tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now, member)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - member_ms)
redis.call('PEXPIRE', KEYS[1], member_ms)
local granted, used, asked = 1, {}, {}
for i = 2, #KEYS do
  local spent, known, ask, burst = unpack(ARGV, 4 * i - 5, 4 * i - 2)
  local stored = (tonumber(redis.call('GET', KEYS[i]) or 0) or 0) - now
  used[i] = math.max(0, math.max(stored, tonumber(known)) + tonumber(spent))
  asked[i] = tonumber(ask)
  if asked[i] > 0 and used[i] + asked[i] > burst + 0.01 then granted = 0 end
end
local answer = { granted, redis.call('ZCARD', KEYS[1]) }
for i = 2, #KEYS do
  if granted == 1 then used[i] = used[i] + asked[i] end
  used[i] = math.min(used[i], 120000)
  if used[i] > 0 then
    redis.call('SET', KEYS[i], string.format('%.3f', now + used[i]), 'PX', math.ceil(used[i]))
  end
  answer[i + 1] = string.format('%.3f', used[i])
end
return answer`;
const EXCHANGE_SHA = createHash('sha1').update(EXCHANGE).digest('hex');

/** Quotas in one Redis or Valkey (no cluster: keys of one exchange lie anywhere). */
export class RedisQuotaStore implements QuotaStore {
  private readonly member = randomUUID();

  constructor(
    private readonly connection: Pick<RedisConnection, 'send' | 'onLost'>,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {}

  async exchange(drawings: readonly Drawing[]): Promise<Standing> {
    const keys = [MEMBERS, ...drawings.map(({ key }) => storedKey(key))];
    const numbers = drawings.flatMap(({ spentMs, knownMs, askedMs, burstMs }) =>
      [spentMs, knownMs, askedMs, burstMs].map((ms) => ms.toFixed(3)),
    );
    const parameters = [this.member, String(MEMBER_MS), ...numbers];
    const [granted, processes, ...used] = await this.run(keys, parameters);
    return { isGranted: granted === 1, usedMs: used.map(Number), processes: Number(processes) };
  }

  onLost(listener: () => void): void {
    this.connection.onLost(listener);
  }

  /** A server that was started anew knows the script by its text only. */
  private run(keys: string[], parameters: string[]): Promise<unknown[]> {
    const send = (signal: AbortSignal) =>
      this.connection.send(
        (redis) =>
          redis.evalsha(EXCHANGE_SHA, keys.length, ...keys, ...parameters).catch((error: Error) => {
            if (!error.message.startsWith('NOSCRIPT')) throw error;
            return redis.eval(EXCHANGE, keys.length, ...keys, ...parameters);
          }) as Promise<unknown[]>,
        signal,
      );
    return this.policy.execute(send, { operation: 'exchange' });
  }
}

/** Keys are seen by whoever sees the server, and ours hold addresses and ids. */
function storedKey(key: string): string {
  return PREFIX + createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
