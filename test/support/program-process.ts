import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ProgramProcess {
  child: ChildProcess;
  /** What it has written to standard error so far: announcements and start-up errors. */
  announced(): string;
  /** The address it announced; rejects when it ended before. */
  url: Promise<string>;
  exit: Promise<number | null>;
}

/** Starts the built program as a user would: `node dist/…` or `npm start`, on a free port. */
export function spawnProgram(
  environment: Record<string, string>,
  { command = process.execPath, args = ['dist/apps/api/src/main.js'] } = {},
): ProgramProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DATABASE_|TEST_|npm_|NODE_OPTIONS|JEST)/.test(name)),
  );
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...inherited, PORT: '0', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  const url = new Promise<string>((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /answers at (http:\S+)/.exec(text);
      if (found) resolve(found[1]!);
    });
    child.once('exit', () => reject(new Error(`The program ended before it was ready:\n${text}`)));
  });
  url.catch(() => undefined); // A test that expects the end does not ask for the address.
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, announced: () => text, url, exit };
}

/** Processes, other than this one, whose command line names the folder. */
export async function processesNaming(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (Number(pid) !== process.pid && (line.includes(folder) || environment.includes(folder)))
      found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}
