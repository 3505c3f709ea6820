import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

export interface ProgramProcess {
  child: ChildProcess;
  /** What it has written to standard error so far: announcements and start-up errors. */
  announced(): string;
  /** The address it announced; rejects when it ended before. */
  url: Promise<string>;
  exit: Promise<number | null>;
}

export const PROGRAM = 'dist/apps/api/src/main.js';
/** As `npm start` runs it. */
const PROGRAM_ARGUMENTS = ['--max-semi-space-size=4', PROGRAM];

export interface SpawnOptions {
  command?: string;
  args?: string[];
  /** The file that gets its log, which is thrown away otherwise. */
  logFile?: number;
}

/** Starts the built program as a user would: `node dist/…` or `npm start`, on a free port. To be called in the root. */
export function spawnProgram(
  environment: Record<string, string>,
  { command = process.execPath, args = PROGRAM_ARGUMENTS, logFile }: SpawnOptions = {},
): ProgramProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DATABASE_|TEST_|npm_|NODE_OPTIONS|JEST)/.test(name)),
  );
  const stdio: StdioOptions = ['ignore', logFile ?? 'ignore', 'pipe'];
  // A machine that runs tests is busy with other things, which is not what they test.
  const patient = { ADMISSION_LOOP_DELAY_MS: '2000' };
  const env = { ...inherited, ...patient, PORT: '0', LOG_LEVEL: 'warn', ...environment };
  const child = spawn(command, args, { env, stdio });
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

/** For a program that is to have the same address after a restart. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
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
