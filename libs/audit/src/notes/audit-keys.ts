import { createPrivateKey, generateKeyPairSync, type JsonWebKey, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type NoteSigner, noteVerifier, type NoteVerifier } from './signed-note.js';

interface KeyFile {
  origin: string;
  keys: JsonWebKey[];
}

/** The file may be read by others, or is not what we wrote. */
export class AuditKeysUnusable extends Error {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The keys of the audit log in ${path} cannot be used: ${reason}`, options);
    this.name = 'AuditKeysUnusable';
  }
}

/**
 * The key that signs checkpoints, and all those whose signatures are believed. They stand in a file as JWKs (RFC 8037):
 * the first one signs. A process that only answers requests may be given a file without private parts.
 */
export class AuditKeys {
  private constructor(
    /** The first line of every checkpoint, and the name of the keys. */
    readonly origin: string,
    /** undefined where the file has the public parts only. */
    readonly signer: NoteSigner | undefined,
    readonly verifiers: readonly NoteVerifier[],
  ) {}

  /**
   * Makes the file on the first start. Processes that start together end with the same key, and a crash leaves no
   * half-written file.
   *
   * @throws AuditKeysUnusable
   */
  static async loadOrCreate(path: string): Promise<AuditKeys> {
    if (!(await exists(path))) {
      const origin = `insurance-navigator/${randomBytes(6).toString('hex')}`;
      await replace(path, { origin, keys: [newKey()] }, unlessExisting);
    }
    return AuditKeys.load(path);
  }

  /** @throws AuditKeysUnusable */
  static async load(path: string): Promise<AuditKeys> {
    const { origin, keys } = await readKeys(path);
    try {
      const verifiers = keys.map(({ x }) => noteVerifier(origin, Buffer.from(x!, 'base64url')));
      const [first] = keys;
      if (!first) throw new Error('there is none');
      const signer = first.d
        ? { ...verifiers[0]!, privateKey: createPrivateKey({ key: first, format: 'jwk' }) }
        : undefined;
      return new AuditKeys(origin, signer, verifiers);
    } catch (error) {
      throw new AuditKeysUnusable(path, 'it is not a set of Ed25519 keys', { cause: error });
    }
  }

  /**
   * Puts a new key first. The older ones stay, because what they signed is still to be verified, without their private
   * parts. Processes take it up at their next start.
   */
  static async rotate(path: string): Promise<AuditKeys> {
    const { origin, keys } = await readKeys(path);
    const older = keys.map(({ kty, crv, x }) => ({ kty, crv, x }));
    await replace(path, { origin, keys: [newKey(), ...older] }, rename);
    return AuditKeys.load(path);
  }
}

async function readKeys(path: string): Promise<KeyFile> {
  if (((await stat(path)).mode & 0o007) !== 0) throw new AuditKeysUnusable(path, 'everybody may read it');
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as KeyFile;
    if (!/^[^\s+]{1,200}$/.test(file.origin) || !Array.isArray(file.keys)) throw new Error('no keys');
    return file;
  } catch (error) {
    throw new AuditKeysUnusable(path, 'it is not a set of keys', { cause: error });
  }
}

function newKey(): JsonWebKey {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
}

/** The whole file is written under another name first: nobody ever reads a part of it. */
async function replace(
  path: string,
  content: KeyFile,
  take: (draft: string, path: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = join(dirname(path), `.audit-keys.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(content));
      await file.sync();
    } finally {
      await file.close();
    }
    await take(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Linking succeeds for exactly one process; whoever comes second uses the first one's. */
async function unlessExisting(draft: string, path: string): Promise<void> {
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
