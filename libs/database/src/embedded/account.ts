import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';

/** The user a program is run as, in the form `spawn` takes. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * The account PostgreSQL must be run as, because it refuses to be run as root: the owner of the database if there is
 * one, else of the data folder, else `nobody`. Undefined when this process is not root and PostgreSQL runs as it is.
 */
export async function chooseAccount(folder: string, cluster: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await knownAccounts();
  const [clusterOwner, folderOwner] = await Promise.all([ownerOf(cluster), ownerOf(folder)]);
  if (clusterOwner && clusterOwner.uid !== 0) return clusterOwner;
  // initdb, unlike the server, wants its user to have a name; the owner of a mounted folder may have none here.
  const named = [...known.values()].some(({ uid }) => uid === folderOwner?.uid);
  if (folderOwner && folderOwner.uid !== 0 && named) return folderOwner;
  return known.get('nobody') ?? { uid: 65_534, gid: 65_534 };
}

/**
 * Runs a program to its end, as the account if one is given.
 * @returns exit code 0 to 255, or -1 when it could not be run or was killed, with all that it printed
 */
export function runAs(
  account: Account | undefined,
  program: string,
  args: string[],
  options: { cwd?: string; signal?: AbortSignal } = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: '/',
      ...options,
      ...account,
      env: SERVER_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => resolve({ code: -1, output: `${output}${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

/** Nothing of our own environment: it may hold secrets, and settings for another PostgreSQL. Messages in English. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C' };

async function ownerOf(path: string): Promise<Account | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { uid: found.uid, gid: found.gid };
}

async function knownAccounts(): Promise<Map<string, Account>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.split(':'));
  return new Map(lines.map(([name, , uid, gid]) => [name!, { uid: Number(uid), gid: Number(gid) }]));
}
