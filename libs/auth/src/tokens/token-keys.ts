import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';

/** One algorithm, pinned: RFC 8725 section 3.1. */
export const TOKEN_ALGORITHM = 'EdDSA';
const FILE_NAME = 'token-keys.json';

/** The file may be read by others, or is not what we wrote. */
export class TokenKeysUnusable extends Error {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The token keys in ${path} cannot be used: ${reason}`, options);
    this.name = 'TokenKeysUnusable';
  }
}

/** The key that signs access tokens, and all those whose signatures are accepted. */
export class TokenKeys {
  private constructor(
    readonly signing: { readonly kid: string; readonly key: CryptoKey },
    private readonly verifying: ReadonlyMap<string, CryptoKey>,
  ) {}

  /** The public key of that name; only names from our own file exist. */
  find(kid: string): CryptoKey | undefined {
    return this.verifying.get(kid);
  }

  /**
   * Reads `token-keys.json` (a JWK set: the first key signs, all verify) from a folder, and makes it on the first
   * start. Processes that start together end with the same keys, and a crash leaves no half-written file.
   *
   * @throws TokenKeysUnusable
   */
  static async loadOrCreate(folder: string): Promise<TokenKeys> {
    const path = join(folder, FILE_NAME);
    if (!(await exists(path))) await create(folder, path);
    return TokenKeys.load(path);
  }

  private static async load(path: string): Promise<TokenKeys> {
    if (((await stat(path)).mode & 0o007) !== 0) throw new TokenKeysUnusable(path, 'everybody may read it');
    try {
      const { keys } = JSON.parse(await readFile(path, 'utf8')) as { keys: JWK[] };
      const pairs = await Promise.all(keys.map(importPair));
      const [signing] = pairs;
      if (!signing) throw new Error('the set is empty');
      return new TokenKeys(signing, new Map(pairs.map(({ kid, publicKey }) => [kid, publicKey])));
    } catch (error) {
      throw new TokenKeysUnusable(path, 'it is not a set of Ed25519 keys', { cause: error });
    }
  }
}

async function importPair({
  kty,
  crv,
  x,
  d,
}: JWK): Promise<{ kid: string; key: CryptoKey; publicKey: CryptoKey }> {
  const publicJwk: JWK = { kty, crv, x };
  const [kid, key, publicKey] = await Promise.all([
    calculateJwkThumbprint(publicJwk),
    importJWK({ ...publicJwk, d }, TOKEN_ALGORITHM),
    importJWK(publicJwk, TOKEN_ALGORITHM),
  ]);
  return { kid, key: key as CryptoKey, publicKey: publicKey as CryptoKey };
}

/**
 * The whole file is written under another name and then linked to its own, which succeeds for exactly one process:
 * nobody ever reads a part of it, and whoever comes second uses the first one's.
 */
async function create(folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { crv: 'Ed25519', extractable: true });
  const draft = join(folder, `.${FILE_NAME}.${randomUUID()}`);
  try {
    await writeDurably(draft, JSON.stringify({ keys: [await exportJWK(privateKey)] }));
    await link(draft, path).catch(unlessExisting);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unlessExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
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
