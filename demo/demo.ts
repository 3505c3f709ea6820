import { resolve } from 'node:path';
import { ApiClient } from './api-client.js';
import { type DemoRequest, HELP, readArguments, UsageError } from './arguments.js';
import { type DemoFolder, makeTemporaryFolder, openLastingFolder } from './data-folder.js';
import { Interrupted, watchInterruption } from './interruption.js';
import { createPalette, duration, renderFacts } from './print.js';
import { sampleQuestions, unanswerableQuestion } from './questions.js';
import { ServerFailed, ServerProcess } from './server.js';
import {
  type AskedQuestion,
  checkFile,
  DemoFailure,
  signIn,
  type Stage,
  summaryOf,
  walkThrough,
} from './walkthrough.js';

const TEMPORARY_STOP_LIMIT_MS = 10_000;
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;
const SAMPLES = ['benefits-booklet.pdf', 'claim-letter.docx', 'faq.html'];
/** This file runs from `dist/demo`. */
const ROOT = resolve(import.meta.dirname, '..', '..');
const PROGRAM = resolve(ROOT, 'dist/apps/api/src/main.js');

const { stdout } = process;
const stage: Stage = {
  output: stdout,
  palette: createPalette(Boolean(stdout.isTTY) && !process.env.NO_COLOR),
  elapsedMs: () => performance.now(),
};

type RunRequest = Exclude<DemoRequest, { kind: 'help' }>;
let server: ServerProcess | undefined;

async function main(): Promise<void> {
  const request = readArguments(process.argv.slice(2));
  if (request.kind === 'help') return void stdout.write(`${HELP}\n`);
  if (request.kind === 'own-file') await checkFile(pathOf(request.file));

  const interrupted = watchInterruption(() => server?.kill());
  const folder = request.keep ? await openLastingFolder(process.env) : await makeTemporaryFolder();
  try {
    await run(request, folder, interrupted);
  } finally {
    await server?.stop();
    await folder.remove();
  }
}

async function run(request: RunRequest, folder: DemoFolder, interrupted: AbortSignal): Promise<void> {
  stdout.write(`Starting Insurance Navigator with its embedded database in ${folder.path}\n`);
  server = new ServerProcess({
    program: PROGRAM,
    dataDir: folder.path,
    temporary: folder.temporary,
    environment: environmentFor(folder),
    signal: interrupted,
    // Data that is thrown away needs no orderly end at any price.
    ...(folder.temporary ? { stopLimitMs: TEMPORARY_STOP_LIMIT_MS } : {}),
  });
  const url = await server.ready();
  const startedMs = stage.elapsedMs();
  stdout.write(`Ready at ${url} after ${duration(startedMs)}\n`);

  const client = new ApiClient(url, interrupted);
  const key = await signIn(client, folder);
  const { files, questions } = scriptOf(request);
  const { missed, ...timings } = await walkThrough(client, files, questions, stage);
  stdout.write(`${stage.palette.bold('Summary')}\n${renderFacts(summaryOf(timings, startedMs))}\n`);
  if (missed.length > 0) throw new DemoFailure(`Not answered as expected: ${missed.join(' ')}`);
  if (request.keep) await keepRunning(server, url, folder, key, interrupted);
}

function environmentFor({ temporary, credentials }: DemoFolder): Record<string, string> {
  return {
    ROLE: 'all',
    PORT: temporary ? '0' : process.env.PORT || '0',
    LOG_LEVEL: process.env.LOG_LEVEL || 'warn',
    BOOTSTRAP_ADMIN_EMAIL: credentials.email,
    BOOTSTRAP_ADMIN_PASSWORD: credentials.password,
  };
}

function scriptOf(request: RunRequest): { files: string[]; questions: AskedQuestion[] } {
  if (request.kind === 'own-file')
    return { files: [pathOf(request.file)], questions: [{ question: request.question }] };
  return {
    files: SAMPLES.map((name) => resolve(ROOT, 'demo', 'samples', name)),
    questions: [
      ...sampleQuestions,
      { question: unanswerableQuestion, expected: ['not in the documents'], unanswerable: true },
    ],
  };
}

/** npm runs scripts in the project's folder; a path is meant from where the person typed it. */
const pathOf = (file: string) => resolve(process.env.INIT_CWD ?? '.', file);

async function keepRunning(
  running: ServerProcess,
  url: string,
  { credentials, path }: DemoFolder,
  key: string,
  interrupted: AbortSignal,
): Promise<void> {
  const facts: [string, string][] = [
    ['URL', url],
    ['API documentation', `${url}/docs`],
    ['e-mail', credentials.email],
    ['password', credentials.password],
    ['API key', key],
    ['data folder', path],
  ];
  stdout.write(
    `${stage.palette.bold('The server goes on running. Ctrl-C ends it.')}\n${renderFacts(facts)}\n`,
  );
  const asked = new Promise<void>((done) => interrupted.addEventListener('abort', () => done()));
  await Promise.race([asked, running.exited.then(() => Promise.reject(serverEnded(running)))]);
  stdout.write('\nStopping the server.\n');
}

const serverEnded = (running: ServerProcess) => new ServerFailed(`The server ended:\n${running.output}`);

/** What went wrong, in as few words as the person needs; 0 when nothing did. */
function report(error: unknown): number {
  const { palette } = stage;
  if (isInterruption(error)) {
    stdout.write('\nInterrupted; the server was stopped.\n');
    return EXIT.interrupted;
  }
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n`);
  else if (error instanceof DemoFailure || error instanceof ServerFailed)
    process.stderr.write(`${palette.bad(error.message)}\n`);
  else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${palette.bad('The demonstration failed:')} ${detail}\n${server?.output ?? ''}\n`);
  }
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** Timers and requests that are aborted wrap the reason that they were given. */
function isInterruption(error: unknown): boolean {
  return error instanceof Interrupted || (error instanceof Error && isInterruption(error.cause));
}

process.exitCode = await main().then(() => 0, report);
