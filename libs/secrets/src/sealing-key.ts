import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_NAME = 'sealing-key';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
/** In case that another way of sealing comes. */
const VERSION = 1;

/** The file may be read by others, or is not what we wrote. */
export class SealingKeyUnusable extends Error {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The key in ${path} cannot be used: ${reason}`, options);
    this.name = 'SealingKeyUnusable';
  }
}

/** What was sealed cannot be opened: it was changed, belongs to something else, or the key is another one. */
export class SealBroken extends Error {
  constructor(options?: ErrorOptions) {
    super('A sealed secret cannot be opened', options);
    this.name = 'SealBroken';
  }
}

/** The key of this installation that seals secrets which have to be kept in the database. */
export class SealingKey {
  /** Names the key, and tells nothing about it: 32 hexadecimal digits. */
  readonly fingerprint: string;

  constructor(private readonly key: Buffer) {
    this.fingerprint = createHmac('sha256', key).update('fingerprint').digest('hex').slice(0, 32);
  }

  /**
   * Reads `sealing-key` from a folder, and makes it on the first start. Processes that start together end with the
   * same key, and a crash leaves no half-written file.
   * @throws SealingKeyUnusable
   */
  static async loadOrCreate(folder: string): Promise<SealingKey> {
    const path = join(folder, FILE_NAME);
    const isThere = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!isThere) await create(folder, path);
    if (((await stat(path)).mode & 0o007) !== 0) throw new SealingKeyUnusable(path, 'everybody may read it');
    const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url');
    if (key.length !== KEY_BYTES) throw new SealingKeyUnusable(path, 'it is not a key of 256 bits');
    return new SealingKey(key);
  }

  /** @param owner what the secret belongs to; it can be opened for that only */
  seal(secret: string, owner: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws SealBroken */
  open(sealed: Buffer, owner: string): string {
    try {
      const tagAt = 1 + NONCE_BYTES;
      const decipher = createDecipheriv(ALGORITHM, this.key, sealed.subarray(1, tagAt), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(owner))
        .setAuthTag(sealed.subarray(tagAt, tagAt + TAG_BYTES));
      const secret = Buffer.concat([decipher.update(sealed.subarray(tagAt + TAG_BYTES)), decipher.final()]);
      return secret.toString('utf8');
    } catch (error) {
      throw new SealBroken({ cause: error });
    }
  }
}

/** Written whole under another name, then linked to its own, which succeeds for exactly one process. */
async function create(folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${FILE_NAME}.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(randomBytes(KEY_BYTES).toString('base64url'));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}
