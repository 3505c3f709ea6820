import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { World } from '../harness/world.js';
import type { History } from '../load/history.js';

const EVERY_MS = 250;
const STATUS = ['queued', 'processing', 'ready', 'failed'];
const ANSWERABLE = ['none', 'lexical', 'semantic'];

interface DocumentState {
  id: string;
  status: string;
  answerable: string;
  version: number;
}

/** Looks at all documents again and again, past every proxy, and notes those that went back. */
export class StateWatcher {
  private readonly stopping = new AbortController();
  private readonly last = new Map<string, DocumentState>();
  private readonly watching: Promise<void>;

  constructor(
    private readonly world: World,
    private readonly history: History,
  ) {
    this.watching = this.watch();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    let client: Client | undefined;
    while (!signal.aborted) {
      try {
        client ??= await this.world.postgres.connect();
        this.compare((await client.query<DocumentState>(SELECT)).rows);
      } catch {
        // The server is away, which is the cell's business.
        await client?.end().catch(() => undefined);
        client = undefined;
      }
      await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    await client?.end().catch(() => undefined);
  }

  private compare(states: DocumentState[]): void {
    for (const now of states) {
      const before = this.last.get(now.id);
      this.last.set(now.id, now);
      if (!before) continue;
      const back =
        STATUS.indexOf(now.status) < STATUS.indexOf(before.status) ||
        ANSWERABLE.indexOf(now.answerable) < ANSWERABLE.indexOf(before.answerable) ||
        now.version < before.version;
      if (back) this.history.violate('monotone-states', `${textOf(before)} became ${textOf(now)}`);
    }
  }
}

const SELECT = 'select id, status, answerable, version from document';
const textOf = ({ status, answerable, version }: DocumentState) =>
  `${status}/${answerable}/version ${version}`;
