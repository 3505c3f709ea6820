import { type Clock, type Random, systemClock } from '#libs/resilience';
import { CANNOT_CONNECT_NOW } from './sql-states.js';

export interface GateDependencies {
  clock?: Clock;
  random?: Random;
}

/** Between two attempts, plus up to a fifth, so that replicas do not come in step: never more than two a second. */
const PAUSE_MS = 500;
const JITTER = 0.2;
/** A server that is starting is waited for: the crash of one of its processes takes it 0.1 to 2 s. */
const PATIENCE_MS = 2_500;

/**
 * Keeps a crowd from a server that is away. As long as nothing is wrong everybody passes. Once a connection was lost
 * or not made, one attempt decides for all who wait; when it fails, they and all who come soon after it share its error.
 */
export class ConnectionGate {
  private inDoubt = false;
  private closedUntil = 0;
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
    this.inDoubt = true;
  }

  /** A connection could not be made by somebody who had passed; that was an attempt too. */
  failed(reason: unknown): void {
    this.inDoubt = true;
    this.close(reason);
  }

  /** Resolves when a connection may be made. @throws what the last attempt failed with */
  pass(): Promise<void> {
    if (!this.inDoubt) return Promise.resolve();
    this.attempt ??= this.decide().finally(() => (this.attempt = undefined));
    return this.attempt;
  }

  private async decide(): Promise<void> {
    if (this.clock.now() < this.closedUntil) throw this.reason;
    const patientUntil = this.clock.now() + PATIENCE_MS;
    for (;;) {
      this.close(this.reason);
      try {
        await this.connectOnce();
        this.inDoubt = false;
        // The server is there, so the next doubt is a new one and has no error to share yet.
        this.closedUntil = 0;
        return;
      } catch (error) {
        this.reason = error;
        const isStarting = (error as { code?: unknown }).code === CANNOT_CONNECT_NOW;
        if (!isStarting || this.closedUntil >= patientUntil) throw error;
      }
      await this.pause(this.closedUntil - this.clock.now());
    }
  }

  private close(reason: unknown): void {
    this.reason = reason;
    this.closedUntil = this.clock.now() + PAUSE_MS * (1 + JITTER * this.random());
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }
}
