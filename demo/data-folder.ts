import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Credentials {
  email: string;
  password: string;
}

/** Where the server keeps its data, and the administrator whom it makes at its first start there. */
export interface DemoFolder {
  path: string;
  temporary: boolean;
  credentials: Credentials;
  /** Forgets kept credentials that the server does not accept. */
  discardCredentials(): Promise<void>;
  /** Removes a temporary folder; leaves any other as it is. */
  remove(): Promise<void>;
}

const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

/** A new folder in the system's place for temporary files, removed at the end of the process at the latest. */
export async function makeTemporaryFolder(parent = tmpdir()): Promise<DemoFolder> {
  const path = await mkdtemp(join(parent, 'insurance-navigator-demo-'));
  const atExit = () => rmSync(path, REMOVE);
  process.once('exit', atExit);
  return {
    path,
    temporary: true,
    credentials: newCredentials(),
    discardCredentials: () => Promise.resolve(),
    async remove() {
      await rm(path, REMOVE);
      process.off('exit', atExit);
    },
  };
}

/**
 * A folder that stays. Its administrator is the one of the environment, or the one of an earlier demonstration with
 * this folder, or a new one, whose credentials are kept in it for the next time, readable by its owner only.
 */
export async function openLastingFolder(
  environment: Record<string, string | undefined>,
): Promise<DemoFolder> {
  const path = resolve(environment.DATA_DIR || 'data');
  const file = join(path, 'demo-credentials.json');
  const { BOOTSTRAP_ADMIN_EMAIL: email, BOOTSTRAP_ADMIN_PASSWORD: password } = environment;
  const given = email && password ? { email, password } : undefined;
  return {
    path,
    temporary: false,
    credentials: given ?? (await ensureCredentials(file)),
    discardCredentials: () => (given ? Promise.resolve() : rm(file, { force: true })),
    remove: () => Promise.resolve(),
  };
}

async function ensureCredentials(file: string): Promise<Credentials> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept) return JSON.parse(kept) as Credentials;
  const credentials = newCredentials();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(credentials)}\n`, { mode: 0o600 });
  return credentials;
}

function newCredentials(): Credentials {
  return { email: 'demo@navigator.example.com', password: randomBytes(18).toString('base64url') };
}
