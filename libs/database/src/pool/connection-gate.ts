import { type Clock, type Random, systemClock } from '#libs/resilience';
import { CANNOT_CONNECT_NOW } from './sql-states.js';

export interface GateDependencies {
  clock?: Clock;
  random?: Random;
}

/** Between two attempts, plus up to a fifth, so that replicas do not come in step: never more than two a second. */
const PAUSE_MS = 500;
const JITTER = 0.2;
/** After the first sign of trouble a server that recovers is waited for: a crash of one of its processes takes it 0.1 to 2 s. */
const PATIENCE_MS = 2_500;

/**
 * Keeps a crowd from a server that is away. As long as nothing is wrong everybody passes. Once a connection was lost
 * or not made, one attempt decides for all who wait; when it fails, they and all who come after it, up to the next one's
 * success, share its error.
 */
export class ConnectionGate {
  /** The connections that are open. */
  readonly watched = new Set<{ readonly heardAt: number; destroy(): void }>();
  private inDoubt = false;
  private closedUntil = 0;
  private patientUntil = 0;
  private reason: unknown;
  private attempt?: Promise<void>;
  private readonly clock: Clock;
  private readonly random: Random;

  /** @param connectOnce makes a connection and gives it up again; rejects as the server or the network says */
  constructor(
    private readonly connectOnce: () => Promise<void>,
    { clock = systemClock, random = Math.random }: GateDependencies = {},
  ) {
    this.clock = clock;
    this.random = random;
  }

  /** A connection was lost. */
  doubt(): void {
    if (this.inDoubt) return;
    this.inDoubt = true;
    this.patientUntil = this.clock.now() + PATIENCE_MS;
  }

  /** A connection could not be made by somebody who had passed; that was an attempt too. */
  failed(reason: unknown): void {
    this.doubt();
    this.close(reason);
  }

  /** Resolves when a connection may be made. @throws what the last attempt failed with */
  pass(): Promise<void> {
    if (!this.inDoubt) return Promise.resolve();
    // A server that did not answer the last attempt may leave this one without an answer too; one caller waits for that.
    if (this.attempt && this.reason !== undefined && !this.isWorthWaiting()) return this.refusal();
    this.attempt ??= this.decide().finally(() => (this.attempt = undefined));
    return this.attempt;
  }

  private async decide(): Promise<void> {
    for (;;) {
      const waitMs = this.closedUntil - this.clock.now();
      if (waitMs > 0) {
        if (!this.isWorthWaiting()) throw this.reason;
        await this.pause(waitMs);
      }
      this.close(this.reason);
      try {
        await this.connectOnce();
      } catch (error) {
        this.reason = error;
        if (this.isWorthWaiting()) continue;
        throw error;
      }
      this.inDoubt = false;
      this.closedUntil = 0;
      this.reason = undefined;
      return;
    }
  }

  private refusal(): Promise<never> {
    return Promise.reject(this.reason as Error);
  }

  private isWorthWaiting(): boolean {
    return isRecovering(this.reason) && this.closedUntil < this.patientUntil;
  }

  private close(reason: unknown): void {
    this.reason = reason;
    this.closedUntil = this.clock.now() + PAUSE_MS * (1 + JITTER * this.random());
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}

/** It says that it is starting; or somebody took the connection and dropped it, as a server does that has just crashed. */
function isRecovering(reason: unknown): boolean {
  const { code, message = '' } = Object(reason) as { code?: unknown; message?: string };
  return code === CANNOT_CONNECT_NOW || code === 'ECONNRESET' || message.includes('Connection terminated');
}
