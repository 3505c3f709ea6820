import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What `embedded-postgres-parent.ts` says of its start: the server, or why there is none. */
export interface StartOutcome {
  url: string;
  serverPid: number;
  lines: string[];
  code?: string;
  message?: string;
}

export interface Parent {
  process: ChildProcess;
  pid: number;
  outcome: Promise<StartOutcome>;
  /** Resolves when it is gone; its server is not. */
  kill(): Promise<void>;
  /** Lets it stop its server and end. */
  end(): Promise<void>;
}

export interface ParentLocation {
  /** Where the sources lie. Default: here. */
  project?: string;
  /** For the copy of PostgreSQL, if one is needed. */
  cacheFolder?: string;
}

/** Starts a program with an embedded server on the folder. */
export function spawnParent(
  dataDir: string,
  { project = process.cwd(), cacheFolder = '' }: ParentLocation = {},
): Parent {
  const hooks = join(process.cwd(), 'test/support/typescript-hooks.mjs');
  const script = join(project, 'test/support/embedded-postgres-parent.ts');
  const child = spawn(process.execPath, ['--import', hooks, script, dataDir, cacheFolder], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const outcome = firstLine(child);
  // Nobody asks a parent that is killed before it could say anything.
  outcome.catch(() => undefined);
  return {
    process: child,
    pid: child.pid!,
    outcome,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    end: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<StartOutcome> {
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line) as StartOutcome;
  throw new Error('The parent ended without a word');
}
