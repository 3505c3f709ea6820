import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { InvalidConfiguration, loadConfig, startedByNpm } from '#libs/config';
import { createLogger, NestLogger } from '#libs/observability';
import { sections } from './app.config.js';
import type { Program } from './program.js';

/** The embedded database and all connections end well within this; an orchestrator kills after 30 s. */
const STOP_LIMIT_MS = 28_000;
const PARENT_CHECK_MS = 250;

async function main(): Promise<void> {
  parseArgs({ options: {} }); // No arguments: settings come from the environment, and a typo should not pass silently.
  const config = loadConfig(sections);
  Logger.overrideLogger(new NestLogger(createLogger({ level: config.server.logLevel })));

  // The signals are watched before anything is started, so that an early one also ends everything.
  const ended = askedToEnd();
  const { startProgram } = await import('./program.js');
  const program = await startProgram(config);
  announce(program, config.browser.docs);
  const reason = await Promise.race([ended, program.databaseLost.then(() => 'the database ended')]);
  await stop(program, reason);
}

function announce({ url, credentials }: Program, hasDocs: boolean): void {
  const documentation = hasDocs ? ` (API documentation: ${url}/docs)` : '';
  const lines = [`Insurance Navigator answers at ${url}${documentation}`];
  if (credentials?.generated)
    lines.push(
      'The first administrator was created:',
      `  e-mail:   ${credentials.email}`,
      `  password: ${credentials.password}`,
      `It is shown only now; until it is changed it also stands in ${credentials.file}`,
    );
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** SIGTERM, SIGINT, or the end of the npm process that started us: npm does not pass signals on. */
function askedToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    if (!startedByNpm()) return;
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && resolve('npm ended'), PARENT_CHECK_MS).unref();
  });
}

async function stop(program: Program, reason: string): Promise<never> {
  const logger = new Logger('main');
  logger.log({ reason }, 'stopping');
  setTimeout(() => {
    logger.error('stopping took too long; leaving the rest to the next start');
    process.exit(1);
  }, STOP_LIMIT_MS).unref();
  await program.stop();
  logger.log('stopped');
  process.exit(reason === 'the database ended' ? 1 : 0);
}

main().catch((error: unknown) => {
  if (error instanceof InvalidConfiguration) process.stderr.write(`${error.message}\n`);
  else
    process.stderr.write(`Insurance Navigator could not start: ${(error as Error).stack ?? String(error)}\n`);
  process.exit(1);
});
