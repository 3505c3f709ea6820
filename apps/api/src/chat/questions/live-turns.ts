import { BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Lifecycle } from '#libs/health';
import { ShuttingDown } from '../chat.errors.js';
import type { LiveTurn } from './live-turn.js';

/**
 * An answer that is not finished by then is ended with what there is, so that it is saved before the database closes.
 * Shorter than the time after which the program breaks off all requests, so that its readers are told.
 */
const LONGEST_DRAIN_MS = 10_000;

/** The turns under way in this process. */
@Injectable()
export class LiveTurns implements BeforeApplicationShutdown {
  private readonly turns = new Map<string, LiveTurn>();

  constructor(private readonly lifecycle: Lifecycle) {}

  /** @throws ShuttingDown when no new turn should begin here */
  assertOpen(): void {
    if (this.lifecycle.phase === 'draining') throw new ShuttingDown();
  }

  add(live: LiveTurn): void {
    this.turns.set(live.turn.id, live);
    void live.ended.then(() => this.turns.delete(live.turn.id));
  }

  find(turnId: string): LiveTurn | undefined {
    return this.turns.get(turnId);
  }

  async beforeApplicationShutdown(): Promise<void> {
    const turns = [...this.turns.values()];
    const patience = setTimeout(() => turns.forEach((live) => live.cancel()), LONGEST_DRAIN_MS);
    await Promise.all(turns.map(({ ended }) => ended));
    clearTimeout(patience);
  }
}
