import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#libs/database';
import { closedLoop, openLoop, Tally, type Target } from './load/drivers.js';
import { HEADING, Runs } from './load/runs.js';
import { furnishedTenant, type Tenant } from './load/tenants.js';
import { ProgramUnderTest } from './program-under-test.js';

/*
 * How the program bears more than it can do: `npm run bench:load [-- seconds [part]]`; 10 s a run unless given, and both
 * parts (overload, neighbours). Questions that were never asked before, answered without a model, by the built program
 * with its settings as they come. Load driver, database and program share the machine, and the machine may have other
 * work: read the ratios. What is compared runs by turns, so that other work disturbs both.
 */

const SECONDS = Number(process.argv[2] ?? 10);
const PART = process.argv[3];
const MS = SECONDS * 1_000;
/** A small part of what the program can do, so that it is the quota that ends the flood. */
const QUOTA_PER_MINUTE = 120;
const STEADY_PER_SECOND = 2;
const ROUNDS = 3;

let number = 0;
const nextNumber = () => number++;

const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
// The server does not end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.stop().finally(() => process.exit(130)));
try {
  for (const line of HEADING) console.log(line);
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

/** The same work by 100 and by 1,000 clients, and at five times the rate that can be kept up; each between two of 100. */
async function overload(program: ProgramUnderTest, tenants: Tenant[]): Promise<void> {
  const target = targetOf(program);
  const clients = (count: number, patient: boolean, whose = tenants) =>
    closedLoop(target, whose, { clients: count, ms: MS, patient });
  const few = new Runs(program.pid, SECONDS, '100 clients');
  const patient = new Runs(program.pid, SECONDS, '1,000 clients who wait as they are told');
  const impatient = new Runs(program.pid, SECONDS, '1,000 clients who ask again at once');
  const one = new Runs(program.pid, SECONDS, '1,000 clients of one tenant who ask again at once');
  const flood = new Runs(program.pid, SECONDS, '5 × the rate of 100 clients, open loop');
  const asFew = () => few.add(() => clients(100, true));
  for (let round = 0; round < ROUNDS; round++) {
    await asFew();
    await patient.add(() => clients(1_000, true));
    await asFew();
    await impatient.add(() => clients(1_000, false));
    await asFew();
    await one.add(() => clients(1_000, false, tenants.slice(0, 1)));
    await asFew();
    await flood.add(() => openLoop(target, tenants, { perSecond: 5 * few.perSecond, ms: MS }));
  }
  for (const runs of [few, patient, impatient, one, flood]) runs.print();
  const ratios = [patient, impatient, one, flood].map(
    ({ name, perSecond }) => `${name} ${((100 * perSecond) / few.perSecond).toFixed(0)} %`,
  );
  console.log(`\nOf the rate of 100 clients: ${ratios.join('; ')}.`);
}

/** Three tenants at a steady rate, by turns without and with a fourth that asks 50 times what it may. */
async function neighbours(program: ProgramUnderTest, [flooder, ...steady]: Tenant[]): Promise<void> {
  const target = targetOf(program);
  const alone = new Runs(program.pid, SECONDS, 'three steady tenants');
  const beside = new Runs(program.pid, SECONDS, 'the same beside a flood of 50 × its quota');
  const flood = new Tally();
  const steadily = { perSecond: STEADY_PER_SECOND * steady.length, ms: MS };
  for (let round = 0; round < ROUNDS; round++) {
    await alone.add(() => openLoop(target, steady, steadily));
    await beside.add(async () => {
      const flooding = openLoop(target, [flooder!], { perSecond: (50 * QUOTA_PER_MINUTE) / 60, ms: MS });
      const tally = await openLoop(target, steady, steadily);
      flood.merge(await flooding);
      return tally;
    });
  }
  for (const runs of [alone, beside]) runs.print();
  const [was, is] = [alone, beside].map(({ tally }) => tally.p(0.95));
  console.log(
    `\nThe steady tenants' p95: ${was!.toFixed(0)} ms alone, ${is!.toFixed(0)} ms beside the flood ` +
      `(${(is! / was!).toFixed(2)} ×); ${beside.tally.refused} of their requests were not answered. ` +
      `Of the flood ${flood.accepted.length} were answered, ${flood.limited} refused by quota, ` +
      `${flood.refused - flood.limited} otherwise.`,
  );
}

function targetOf(program: ProgramUnderTest): Target {
  return { url: new URL(program.url), nextNumber };
}
