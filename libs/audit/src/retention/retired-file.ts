import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Frontier, leafHash } from '../merkle/index.js';

export const RETIRED_FORMAT = 'insurance-navigator/audit-retired/v1';

/** An event that leaves the log. */
export interface RetiredEntry {
  leafIndex: number;
  eventId: string;
  hash: Buffer;
  /** The exact text that was hashed. */
  body: string;
}

/** The log is not what was sealed, so nothing of it is deleted. */
export class LogNotAsSealed extends Error {
  constructor(leafIndex: number) {
    super(`The event at place ${leafIndex} is not what was sealed`);
    this.name = 'LogNotAsSealed';
  }
}

/**
 * Writes events that leave the log to a file: a line that says what they are, with the tree up to them; one line for each;
 * and a last line with the signed note over all of that. The file has its name only when it is whole and on the disk.
 *
 * @param sign gives the note for the root of the tree after these events and the SHA-256 of the lines before the last
 * @throws LogNotAsSealed
 */
export async function writeRetired(
  path: string,
  { tenantId, from, frontier }: { tenantId: string; from: number; frontier: Frontier },
  entries: AsyncIterable<RetiredEntry>,
  sign: (of: { root: Buffer; sha256: string; to: number }) => string,
): Promise<{ root: Buffer; sha256: string; to: number; note: string }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.part`;
  const file = await open(draft, 'w', 0o600);
  try {
    const digest = createHash('sha256');
    const write = async (record: object) => {
      const line = `${JSON.stringify(record)}\n`;
      digest.update(line);
      await file.write(line);
    };
    const before = frontier.toBytes().toString('base64');
    await write({ type: 'retired', format: RETIRED_FORMAT, tenant_id: tenantId, from, frontier: before });
    for await (const { leafIndex, eventId, hash, body } of entries) {
      if (leafIndex !== frontier.size || !leafHash(Buffer.from(body)).equals(hash))
        throw new LogNotAsSealed(leafIndex);
      frontier.append(hash);
      await write({
        type: 'entry',
        leaf_index: leafIndex,
        event_id: eventId,
        hash: hash.toString('base64'),
        body,
      });
    }
    const whole = { root: frontier.root(), sha256: digest.digest('hex'), to: frontier.size };
    const note = sign(whole);
    await file.write(`${JSON.stringify({ type: 'tombstone', note })}\n`);
    await file.sync();
    await rename(draft, path);
    await syncFolder(dirname(path));
    return { ...whole, note };
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

/** SHA-256 of all lines but the last; undefined where there is no such file. */
export async function digestOfRetired(path: string): Promise<string | undefined> {
  const digest = createHash('sha256');
  let last: string | undefined;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      if (last !== undefined) digest.update(`${last}\n`);
      last = line;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return digest.digest('hex');
}

/** Without it the name may be gone after a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
