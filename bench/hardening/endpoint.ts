import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres, withClient } from '#libs/database';
import { spawnProgram } from '../../test/support/program-process.js';
import { closedLoop, type Tally, type Target } from '../load/drivers.js';
import { CONVERSATIONS, furnish, questionOf, type Tenant } from '../load/tenants.js';
import { processorMs, serverProcessorMs } from '../processor-time.js';
import { ProgramUnderTest } from '../program-under-test.js';

const BARE = ['--max-semi-space-size=4', 'dist/bench/hardening/bare-server.js'];
/** As `npm start` runs our program. */
const HARDENED = ['--max-semi-space-size=4', 'dist/bench/hardening/hardened-server.js'];

export interface EndpointLoad {
  clients: number;
  /** Of each turn. */
  seconds: number;
  rounds: number;
}

/** What one server did in one turn. */
export interface Turn {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Requests that were shed and not answered: they are in no other figure but the processor time. */
  refused: number;
  /** Microseconds of processor time a request: of the process that answers, of the database, of the load driver. */
  serviceUs: number;
  databaseUs: number;
  driverUs: number;
}

export interface EndpointFigures {
  /** Questions that are answered from the answer cache, each saved in its conversation. */
  questions: Turn[];
  /** The same endpoint with its answer at hand: all that a question pays for being hardened, its audit event included. */
  hardened: Turn[];
  bare: Turn[];
}

interface Surroundings {
  program: ProgramUnderTest;
  database: EmbeddedPostgres;
}

/**
 * Our program's question endpoint, whose answers come from the answer cache; the same endpoint with its answer at hand;
 * and a bare Nest-on-Fastify server that answers the same, by turns.
 *
 * @throws when a question is answered with an error, not from the cache, or not in the audit log
 */
export async function endpointFigures(load: EndpointLoad): Promise<EndpointFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
  const log = await open(join(folder, 'program.log'), 'w');
  const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  // The server does not end with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void database.stop().finally(() => process.exit(130)));
  try {
    const program = await ProgramUnderTest.start(
      { DATABASE_URL: database.url, ADMISSION_LOOP_DELAY_MS: '100', LOG_LEVEL: 'info' },
      { logFile: log.fd, args: HARDENED },
    );
    try {
      return await besideBare({ program, database }, load);
    } finally {
      await program.stop();
    }
  } finally {
    await database.stop();
    await log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function besideBare(surroundings: Surroundings, load: EndpointLoad): Promise<EndpointFigures> {
  const { program, database } = surroundings;
  const tenant = await furnish(program.url, 'plan', await program.login());
  await keepAnswers(program, tenant);
  const bare = spawnProgram({}, { args: BARE });
  try {
    const bareUrl = new URL(await bare.url);
    const ours = async (route?: string) => {
      // A token lives for ten minutes at most.
      const asking = { ...tenant, apiKey: await program.login() };
      return turn(surroundings, { url: new URL(program.url), nextNumber, route }, asking, load);
    };
    const theirs = () => turn({ bare: bare.child.pid! }, { url: bareUrl, nextNumber }, tenant, load);
    const figures: EndpointFigures = { questions: [], hardened: [], bare: [] };
    let answered = 0;
    for (let round = 0; round <= load.rounds; round++) {
      const [questions, hardened, plain] = [await ours(), await ours('answered'), await theirs()];
      answered += questions.tally.accepted.length + hardened.tally.accepted.length;
      if (round === 0) continue; // Warm.
      figures.questions.push(questions.figures);
      figures.hardened.push(hardened.figures);
      figures.bare.push(plain.figures);
    }
    await assertRecorded(database.url, answered);
    return figures;
  } finally {
    bare.child.kill('SIGTERM');
    await bare.exit;
  }
}

let number = 0;
/** Each conversation has its own question, which comes again and again. */
const nextNumber = () => number++ % CONVERSATIONS;

/** Asks every question once, so that its answer is kept, and once more. */
async function keepAnswers(program: ProgramUnderTest, { conversationIds }: Tenant): Promise<void> {
  const ask = (i: number) =>
    program.send(`/v1/conversations/${conversationIds[i]}/questions`, {
      method: 'POST',
      body: JSON.stringify({ question: questionOf(i) }),
      headers: { 'content-type': 'application/json' },
    });
  for (let i = 0; i < CONVERSATIONS; i++) await ask(i);
  const bodies = await Promise.all(conversationIds.map(async (_, i) => (await ask(i)).body));
  const fresh = bodies.filter((body) => body.served_by !== 'cache');
  if (fresh.length > 0)
    throw new Error(`${fresh.length} answers were not from the cache: ${JSON.stringify(fresh[0])}`);
}

async function turn(
  of: Surroundings | { bare: number },
  target: Target,
  tenant: Tenant,
  { clients, seconds }: EndpointLoad,
): Promise<{ tally: Tally; figures: Turn }> {
  const used = async () =>
    'bare' in of
      ? [await processorMs(of.bare), 0]
      : [await processorMs(of.program.pid), await serverProcessorMs(of.database.pid)];
  const before = await used();
  const driver = process.cpuUsage();
  const tally = await closedLoop(target, [tenant], { clients, ms: seconds * 1_000, patient: true });
  const { user, system } = process.cpuUsage(driver);
  const after = await used();
  if (tally.failed > 0) throw new Error(`${tally.failed} of the requests failed`);
  const requests = tally.accepted.length;
  const [serviceUs, databaseUs] = after.map((ms, i) => ((ms - before[i]!) * 1_000) / requests);
  const figures = {
    perSecond: tally.inTime / seconds,
    p50Ms: tally.p(0.5),
    p99Ms: tally.p(0.99),
    refused: tally.refused,
    serviceUs: serviceUs!,
    databaseUs: databaseUs!,
    driverUs: (user + system) / requests,
  };
  return { tally, figures };
}

/** As many questions in the audit log as were answered, at least: each was awaited. */
async function assertRecorded(databaseUrl: string, answered: number): Promise<void> {
  const recorded = await withClient(databaseUrl, async (owner) => {
    const { rows } = await owner.query(
      `select count(*)::int as count from audit_event where action = 'question.ask' and outcome = 'success'`,
    );
    return rows[0].count as number;
  });
  if (recorded < answered) throw new Error(`${answered} questions were answered, ${recorded} recorded`);
}
