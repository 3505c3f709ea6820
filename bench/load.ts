import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#libs/database';
import { closedLoop, openLoop, type Tally, type Target } from './load/drivers.js';
import { furnishedTenant, type Tenant } from './load/tenants.js';
import { ProgramUnderTest } from './program-under-test.js';
import { percentile } from './statistics.js';

/*
 * How the program bears more than it can do: `npm run bench:load [-- seconds [part]]`; 15 s a run unless given, and both
 * parts (overload, neighbours). Questions that were never asked before, answered without a model, by the built program
 * with its settings as they come. Load driver, database and program share the machine: read the ratios.
 */

const SECONDS = Number(process.argv[2] ?? 15);
const PART = process.argv[3];
const MS = SECONDS * 1_000;
/** A small part of what the program can do, so that it is the quota that ends the flood. */
const QUOTA_PER_MINUTE = 120;
const STEADY_PER_SECOND = 1;
const ROUNDS = 3;
/** Of the clock that /proc counts processor time by. */
const TICKS_PER_SECOND = 100;

let number = 0;
const nextNumber = () => number++;

const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
// The server does not end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.stop().finally(() => process.exit(130)));
try {
  console.log(
    '| run | answers/s | p50 | p95 | p99 | shed/s | shed p50 / p99 | 429/s | errors | CPU ms an answer |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  if (PART !== 'neighbours') await withProgram({}, overload);
  if (PART !== 'overload')
    await withProgram({ RATE_QUESTION_PER_MINUTE: String(QUOTA_PER_MINUTE) }, neighbours);
  console.log(`\nLoad average at the end: ${loadavg()[0]!.toFixed(1)}`);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function withProgram(
  environment: Record<string, string>,
  work: (program: ProgramUnderTest, tenants: Tenant[]) => Promise<void>,
): Promise<void> {
  const program = await ProgramUnderTest.start({
    DATABASE_URL: server.url,
    ADMISSION_LOOP_DELAY_MS: '100',
    ...environment,
  });
  try {
    const names = Array.from({ length: 4 }, () => `tenant-${nextNumber()}`);
    const tenants = await Promise.all(names.map((name) => furnishedTenant(server.url, program.url, name)));
    await closedLoop(targetOf(program), tenants, { clients: 8, ms: 5_000, patient: true }); // Warm.
    await work(program, tenants);
  } finally {
    await program.stop();
  }
}

/** The same work by 100 and by 1,000 clients, and at five times the rate that can be kept up. */
async function overload(program: ProgramUnderTest, tenants: Tenant[]): Promise<void> {
  const target = targetOf(program);
  const run = (name: string, work: () => Promise<Tally>) => measured(program, name, work);
  const few = await run('100 clients', () =>
    closedLoop(target, tenants, { clients: 100, ms: MS, patient: true }),
  );
  const patient = await run('1,000 clients who wait as they are told', () =>
    closedLoop(target, tenants, { clients: 1_000, ms: MS, patient: true }),
  );
  const again = await run('100 clients, again', () =>
    closedLoop(target, tenants, { clients: 100, ms: MS, patient: true }),
  );
  const impatient = await run('1,000 clients who ask again at once', () =>
    closedLoop(target, tenants, { clients: 1_000, ms: MS, patient: false }),
  );
  const one = await run('1,000 clients of one tenant', () =>
    closedLoop(target, tenants.slice(0, 1), { clients: 1_000, ms: MS, patient: false }),
  );
  const peak = (few.perSecond + again.perSecond) / 2;
  const flood = await run('5 × the rate of 100 clients, open loop', () =>
    openLoop(target, tenants, { perSecond: 5 * peak, ms: MS }),
  );
  const recovered = await run('100 clients, afterwards', () =>
    closedLoop(target, tenants, { clients: 100, ms: MS, patient: true }),
  );
  const percent = (value: number) => `${((100 * value) / peak).toFixed(0)} %`;
  console.log(
    `\nOf the rate of 100 clients: 1,000 patient ${percent(patient.perSecond)}, impatient ${percent(impatient.perSecond)}, of one tenant ${percent(one.perSecond)}, open loop ${percent(flood.perSecond)}, afterwards ${percent(recovered.perSecond)}.`,
  );
}

/** Three tenants at a steady rate, by turns without and with a fourth that asks 50 times what it may. */
async function neighbours(program: ProgramUnderTest, [flooder, ...steady]: Tenant[]): Promise<void> {
  const target = targetOf(program);
  const alone: Tally[] = [];
  const beside: Tally[] = [];
  const steadily = { perSecond: STEADY_PER_SECOND * steady.length, ms: MS };
  for (let round = 1; round <= ROUNDS; round++) {
    const quiet = await measured(program, `three steady tenants (${round})`, () =>
      openLoop(target, steady, steadily),
    );
    alone.push(quiet.tally);
    const flooded = await measured(
      program,
      `the same beside a flood of 50 × its quota (${round})`,
      async () => {
        const flood = openLoop(target, [flooder!], { perSecond: (50 * QUOTA_PER_MINUTE) / 60, ms: MS });
        const tally = await openLoop(target, steady, steadily);
        const { accepted, limited, shed, failed } = await flood;
        console.error(
          `the flood: ${accepted.length} answered, ${limited} 429, ${shed.length} shed, ${failed} failed`,
        );
        return tally;
      },
    );
    beside.push(flooded.tally);
  }
  const p95 = (tallies: Tally[]) =>
    percentile(
      tallies.flatMap(({ accepted }) => accepted),
      0.95,
    );
  const refused = beside.reduce((sum, { shed, limited, failed }) => sum + shed.length + limited + failed, 0);
  console.log(
    `\nThe steady tenants' p95: ${p95(alone).toFixed(0)} ms alone, ${p95(beside).toFixed(0)} ms beside the flood ` +
      `(${(p95(beside) / p95(alone)).toFixed(2)} ×); ${refused} of their requests were not answered.`,
  );
}

async function measured(
  { pid }: ProgramUnderTest,
  name: string,
  work: () => Promise<Tally>,
): Promise<{ tally: Tally; perSecond: number }> {
  const cpuBefore = await cpuMs(pid);
  const startedAt = performance.now();
  const tally = await work();
  const seconds = Math.min(SECONDS, (performance.now() - startedAt) / 1_000);
  const cpu = (await cpuMs(pid)) - cpuBefore;
  const perSecond = tally.accepted.length / seconds;
  const cells = [
    name,
    perSecond.toFixed(1),
    ...[0.5, 0.95, 0.99].map((share) => `${tally.p(share)?.toFixed(0)} ms`),
    (tally.shed.length / seconds).toFixed(0),
    `${tally.shedP(0.5).toFixed(1)} / ${tally.shedP(0.99).toFixed(1)} ms`,
    (tally.limited / seconds).toFixed(0),
    tally.failed,
    (cpu / tally.accepted.length).toFixed(1),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  return { tally, perSecond };
}

function targetOf(program: ProgramUnderTest): Target {
  return { url: new URL(program.url), nextNumber };
}

/** Of the program alone, without its database. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}
