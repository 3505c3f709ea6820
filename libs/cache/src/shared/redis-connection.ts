import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { FatalFailure, TransientFailure } from '#libs/errors';

const CONNECT_TIMEOUT_MS = 1_000;
/** A connection on which an answer is due and nothing comes for so long is given up. */
const SILENCE_MS = 2_500;
/** As long as any command has, so that a slow server does not pass for one that is back. */
const PING_TIMEOUT_MS = 50;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 1_000;

/** The server works and will not do this: full, read-only, not permitted, a value of another type. */
export class CommandRefused extends Error {
  constructor(
    /** The first word of its answer, such as `OOM` or `WRONGTYPE`. */
    readonly code: string,
  ) {
    super(`Redis refused a command: ${code}`);
    this.name = 'CommandRefused';
  }
}

/**
 * One connection to a Redis or Valkey that comes back by itself for as long as it takes. Nothing waits for it: a command
 * without a connection fails at once, and while one has had no answer in its time the next ones are not even sent.
 */
export class RedisConnection {
  private readonly redis: Redis;
  private readonly logger = new Logger('cache');
  private readonly listeners: (() => void)[] = [];
  private overdue = 0;
  private isLost = false;
  private isClosing = false;

  /**
   * Begins to connect.
   *
   * @param url `redis://…` or, with TLS, `rediss://…`
   * @param use for the log
   */
  constructor(
    url: string,
    random: () => number = Math.random,
    private readonly use = 'the shared cache',
  ) {
    this.redis = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      connectionName: 'insurance-navigator',
      disableClientInfo: true,
      retryStrategy: (attempt) => reconnectDelayMs(attempt, random),
    });
    this.redis.on('error', (error: NodeJS.ErrnoException) => this.noteLoss(error.code ?? error.name));
    this.redis.on('close', () => this.noteLoss('closed'));
    this.redis.on('ready', () => this.noteReturn());
  }

  /** Calls back whenever the connection is lost or cannot be made. */
  onLost(listener: () => void): void {
    this.listeners.push(listener);
  }

  /**
   * Sends one command. Nobody waits longer than the signal says, but it may be carried out all the same.
   *
   * @throws FatalFailure without a connection, TransientFailure, CommandRefused
   */
  async send<T>(command: (redis: Redis) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.redis.status !== 'ready') throw new FatalFailure('There is no connection to Redis');
    if (this.overdue > 0) throw new TransientFailure('Redis has not answered an earlier command yet');
    const reply = command(this.redis);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => {
      this.overdue += 1;
      void reply.catch(() => undefined).finally(() => (this.overdue -= 1));
      reject(new TransientFailure('Redis did not answer in time'));
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([reply, aborted]);
    } catch (error) {
      throw translate(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Whether it answers in time. One that has lost its disk refuses even a PING, and can be read from. */
  async ping(signal: AbortSignal): Promise<void> {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(PING_TIMEOUT_MS)]);
    await this.send((redis) => redis.ping(), inTime).catch((error: unknown) => {
      if (!(error instanceof CommandRefused)) throw error;
    });
  }

  close(): void {
    this.isClosing = true;
    this.redis.disconnect();
  }

  private noteLoss(reason: string): void {
    if (this.isClosing) return;
    if (!this.isLost) this.logger.warn({ reason }, `${this.use} is out of reach; memory serves alone`);
    this.isLost = true;
    for (const listener of this.listeners) listener();
  }

  private noteReturn(): void {
    if (this.isLost) this.logger.log(`${this.use} is back`);
    this.isLost = false;
  }
}

/** Doubles from attempt to attempt up to a second, of which a random half is left out: replicas do not come together. */
export function reconnectDelayMs(attempt: number, random: () => number): number {
  const delayMs = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(delayMs * (0.5 + random() / 2));
}

const PASSES = new Set(['LOADING', 'BUSY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN']);
const NOT_LET_IN = new Set(['NOAUTH', 'WRONGPASS']);

/** Answers keep only their first word: the rest may quote what was sent. */
function translate(error: unknown): Error {
  if (error instanceof TransientFailure) return error;
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name !== 'ReplyError') return new TransientFailure(`The connection to Redis failed: ${code ?? name}`);
  const answer = message.split(' ', 1)[0] ?? '';
  if (NOT_LET_IN.has(answer)) return new FatalFailure(`Redis does not let us in: ${answer}`);
  return PASSES.has(answer) ? new TransientFailure(`Redis answered ${answer}`) : new CommandRefused(answer);
}
