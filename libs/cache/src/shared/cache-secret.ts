import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_NAME = 'cache-secret';
const SECRET_BYTES = 32;

/** The file may be read by others, or is not what we wrote. Without it, all that is cached is merely forgotten. */
export class CacheSecretUnusable extends Error {
  constructor(path: string, reason: string) {
    super(
      `The secret of the cache in ${path} cannot be used: ${reason}. Delete it to have another one made.`,
    );
    this.name = 'CacheSecretUnusable';
  }
}

/**
 * The secret that sealed values are signed with, from a folder that all processes of the installation share; made on
 * the first start. Processes that start together end with the same one.
 *
 * @throws CacheSecretUnusable
 */
export async function loadOrCreateSecret(folder: string): Promise<Buffer> {
  const path = join(folder, FILE_NAME);
  const text = (await readIfThere(path)) ?? (await create(folder, path));
  if (((await stat(path)).mode & 0o007) !== 0) throw new CacheSecretUnusable(path, 'everybody may read it');
  const secret = Buffer.from(text.trim(), 'hex');
  if (secret.length !== SECRET_BYTES) throw new CacheSecretUnusable(path, `it is not ${SECRET_BYTES} bytes`);
  return secret;
}

/** Written whole under another name and linked to its own, which succeeds for exactly one process. */
async function create(folder: string, path: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${FILE_NAME}.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    await file.writeFile(randomBytes(SECRET_BYTES).toString('hex')).finally(() => file.close());
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
