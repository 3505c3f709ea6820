import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AnchorTarget, StoredCheckpoint } from './checkpoint.store.js';

/** Where checkpoints are kept outside of the database, so that whoever can change it cannot change them. */
export interface Anchor {
  readonly target: AnchorTarget;
  /** @throws unless it is kept; the next checkpoint is tried all the same, and says all that this one would have */
  keep(checkpoint: StoredCheckpoint): Promise<void>;
}

/** One line of JSON for each, appended and synced. `chattr +a` makes the file append-only to everybody. */
export class FileAnchor implements Anchor {
  readonly target = 'file';

  constructor(private readonly path: string) {}

  async keep({ no, at, note }: StoredCheckpoint): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.appendFile(`${JSON.stringify({ no, at, note })}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

/** Posts each to whoever keeps it, as a signed message of type `audit.checkpoint`. */
export class WebhookAnchor implements Anchor {
  readonly target = 'webhook';

  constructor(private readonly sender: { send(id: string, body: string): Promise<void> }) {}

  async keep({ no, at, note }: StoredCheckpoint): Promise<void> {
    const message = { type: 'audit.checkpoint', timestamp: at, data: { no, note } };
    await this.sender.send(`audit-checkpoint-${no}`, JSON.stringify(message));
  }
}
