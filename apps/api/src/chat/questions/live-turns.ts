import { BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import type { LiveTurn } from './live-turn.js';

/** An answer that is not finished by then is ended with what there is, so that it is saved before the database closes. */
const LONGEST_DRAIN_MS = 20_000;

/** The turns under way in this process. */
@Injectable()
export class LiveTurns implements BeforeApplicationShutdown {
  private readonly turns = new Map<string, LiveTurn>();

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
