import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { furnish } from './leak-furnishing.js';
import { leakApp, newPerson, newTenant } from './leak-world.js';
import { operationsOf } from './open-api.js';
import { signedIn } from './operator.js';
import { EXPOSED, type ScanRequest, scanRequests } from './scan-requests.js';

/**
 * Runs sqlmap and wapiti against the real program, as the administrator of a tenant who has documents, conversations and all
 * else that there is. Prints a summary, and ends with 1 when either has found something or could not do its work.
 *
 * Options: `--short` (three minutes at most), `--minutes <n>` (of sqlmap and of wapiti, each; no limit unless given),
 * `--keep` (the reports, whose folder is printed).
 */

const isShort = process.argv.includes('--short');
const minutesAt = process.argv.indexOf('--minutes');
const MINUTES = minutesAt > 0 ? Number(process.argv[minutesAt + 1]) : isShort ? 1 : Infinity;
/** Of one request. It ends what waits for an answer that never ends. */
const LONGEST_SECONDS = 900;
/** Reads its parameters as `GET /v1/audit/events` does, and never ends. */
const ENDLESS = 'GET /v1/audit/stream';
const STREAM = /\}\/events$|stream$/;
const FOUND = /identified the following injection point/;
/** The program turns this off by 0, because the filter of old browsers that it named was itself a hole. */
const HARMLESS = /^X-XSS-Protection is not set$/;
/** The process was ended because its time was up, which is no finding. */
const TIMED_OUT = 124;

interface Outcome {
  requests: number;
  places: number;
  routes: number;
  unfinished: string[];
  findings: string[];
}

/** Gives the exit code of a command whose output goes to a file; it is ended after so long. */
async function run(command: string, args: string[], output: string, seconds: number): Promise<number> {
  const file = createWriteStream(output);
  await once(file, 'open');
  const limit = Number.isFinite(seconds)
    ? ['timeout', '-k', '5', String(Math.max(1, Math.ceil(seconds)))]
    : [];
  const [program, ...rest] = ['nice', '-n', '10', ...limit, command, ...args];
  const child = spawn(program!, rest, { stdio: ['ignore', file, file] });
  const [code] = (await once(child, 'exit')) as [number | null];
  file.close();
  return code ?? 1;
}

async function sqlmap(requests: ScanRequest[], folder: string): Promise<Outcome> {
  const outcome: Outcome = { requests: 0, places: 0, routes: 0, unfinished: [], findings: [] };
  const end = performance.now() + MINUTES * 60_000;
  const queue = [...requests.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [i, { name, text, places }] = next;
      const left = (end - performance.now()) / 1_000;
      if (left < 1) {
        outcome.unfinished.push(name);
        continue;
      }
      const file = join(folder, `${i}.txt`);
      await writeFile(file, text);
      const options = [
        '--batch',
        '--level=3',
        '--risk=1',
        '--dbms=PostgreSQL',
        '--disable-coloring',
        '--ignore-stdin',
        '--flush-session',
      ];
      const where = ['-r', file, '--output-dir', join(folder, `sqlmap-${i}`), '--ignore-code=*'];
      const report = join(folder, `${i}.log`);
      const code = await run(
        'sqlmap',
        [...where, ...options, '--skip-waf', '--time-sec=10', '--retries=1'],
        report,
        Math.min(left, LONGEST_SECONDS),
      );
      const said = await readFile(report, 'utf8');
      if (FOUND.test(said)) outcome.findings.push(`sqlmap: ${name}: ${said.slice(said.search(FOUND))}`);
      if (code === TIMED_OUT) outcome.unfinished.push(name);
      else if (!/do(es)? not (appear|seem) to be injectable/.test(said) && !FOUND.test(said))
        outcome.findings.push(`sqlmap could not try ${name}: ${said.slice(-500)}`);
      outcome.routes++;
      outcome.places += places;
      if (!isShort)
        console.log(`${new Date().toISOString()} sqlmap ${outcome.routes}/${requests.length} ${name}`);
    }
  };
  await Promise.all([worker(), worker()]);
  return outcome;
}

/** Wapiti follows links, of which an API has none; so it is told of every address that can be read. */
async function wapiti(url: string, addresses: string[], key: string, folder: string): Promise<Outcome> {
  const report = join(folder, 'wapiti.json');
  const starts = addresses.flatMap((address) => ['-s', address]);
  const limits = Number.isFinite(MINUTES) ? ['--max-scan-time', String(MINUTES * 60)] : [];
  const modules = isShort ? 'sql,exec,file,crlf,redirect,xss,ssrf,http_headers,csp,cookieflags' : 'all';
  const options = [
    '--scope',
    'domain',
    '-m',
    modules,
    '-f',
    'json',
    '-o',
    report,
    '--no-bugreport',
    '--flush-session',
  ];
  const own = ['--store-session', join(folder, 'wapiti'), '--store-config', join(folder, 'wapiti-config')];
  const header = ['-H', `Authorization: Bearer ${key}`];
  const log = join(folder, 'wapiti.log');
  const code = await run(
    'wapiti',
    ['-u', `${url}/`, ...starts, ...header, ...options, ...own, ...limits],
    log,
    (MINUTES + 1) * 60,
  );
  const outcome: Outcome = { requests: 0, places: 0, routes: addresses.length, unfinished: [], findings: [] };
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) {
    outcome.findings.push(`wapiti ended with ${code}: ${(await readFile(log, 'utf8')).slice(-1_000)}`);
    return outcome;
  }
  const told = JSON.parse(text) as Record<
    'vulnerabilities' | 'anomalies',
    Record<string, { info: string; path: string }[]>
  >;
  for (const kind of ['vulnerabilities', 'anomalies'] as const)
    for (const [name, found] of Object.entries(told[kind]))
      for (const { info, path } of found)
        if (!HARMLESS.test(info)) outcome.findings.push(`wapiti: ${name} at ${path}: ${info}`);
  return outcome;
}

async function main(): Promise<number> {
  const { default: startTestServer } = (await import(
    new URL('../../../test/support/postgres.global-setup.mjs', import.meta.url).href
  )) as { default: () => Promise<void> };
  await startTestServer();
  const stopServer = (globalThis as unknown as { stopNavigatorTestServer: () => Promise<void> })
    .stopNavigatorTestServer;
  const folder = await mkdtemp(join(tmpdir(), 'navigator-scan-'));
  const world = await leakApp();
  try {
    const { app, people } = world;
    const operations = await operationsOf(app.url);
    const operator = await signedIn(app, 'operator');
    const tenant = await newTenant(world, operator, 'scanned');
    const owner = await newPerson(world, tenant.admin.headers, 'admin', 'owner@example.com');
    const { ids } = await furnish(world, operations, tenant, owner);
    const { body } = await people.send('POST', '/v1/api-keys', owner.headers, { name: 'scanner' });
    const host = new URL(app.url).host;
    const requests = scanRequests(operations, ids, host, body.key).filter(
      ({ name }) => name !== ENDLESS && (!isShort || EXPOSED.has(name)),
    );
    const addresses = requests
      .filter(({ name }) => name.startsWith('GET') && !STREAM.test(name))
      .map(({ text }) => `${app.url}${text.split(' ')[1]!.replaceAll('*', '')}`);
    await mkdir(folder, { recursive: true });

    // Hours may lie between: a token lives for minutes.
    const answered = async () =>
      requestsIn(await (await app.fetch('/metrics', { headers: await signedIn(app, 'operator') })).text());
    const before = await answered();
    const injected = await sqlmap(requests, folder);
    injected.requests = (await answered()) - before;
    const crawled = await wapiti(app.url, addresses, body.key, folder);
    crawled.requests = (await answered()) - before - injected.requests;
    const failures = (await world.logged()).split('\n').filter((line) => line.includes('"level":50'));

    const findings = [...injected.findings, ...crawled.findings];
    for (const line of failures.slice(0, 20)) findings.push(`the program failed: ${line.slice(0, 500)}`);
    for (const { requests, places, routes, unfinished } of [injected, crawled])
      console.log(
        `${routes} routes, ${places} places, ${requests} requests, not finished: ${unfinished.join(', ') || 'none'}`,
      );
    console.log(findings.length === 0 ? 'Nothing was found.' : findings.join('\n'));
    if (process.argv.includes('--keep')) console.log(`Reports: ${folder}`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await world.app.close();
    await stopServer();
    if (!process.argv.includes('--keep')) await rm(folder, { recursive: true, force: true });
  }
}

/** How many requests the program has answered since it started. */
function requestsIn(metrics: string): number {
  const counts = [
    ...metrics.matchAll(/^navigator_http_request(?:s_total|_duration_seconds_count)\{[^}]*\} (\d+)/gm),
  ];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

process.exitCode = await main();
