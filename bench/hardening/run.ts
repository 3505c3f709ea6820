import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type AppendLoad, appendFigures } from '../audit/appends.js';
import { withAuditWorld } from '../audit/world.js';
import { percentile } from '../statistics.js';
import { tokenCosts } from '../token-costs.js';
import { ANSWER } from './answer.js';
import { type EndpointLoad, endpointFigures, type Turn } from './endpoint.js';

/*
 * What being hardened costs: `npm run bench:hardening [-- --seconds 10 --rounds 5 --clients 50]`. The question endpoint
 * against a bare server, durable audit events, and the check of a token, in one run. Load driver, database and programs
 * share the machine, and the machine may have other work: read the ratios.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '50' },
  },
});
const load: EndpointLoad = {
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  clients: Number(values.clients),
};
const AUDIT_CALLERS = 100;
const AUDIT_TENANTS = 20;

const median = (figures: readonly number[]) => percentile(figures, 0.5);

async function endpoint(): Promise<void> {
  const { questions, hardened, bare } = await endpointFigures(load);
  const of = (turns: readonly Turn[], what: keyof Turn) => median(turns.map((each) => each[what]));
  console.log(
    `\n${load.clients} keep-alive clients, ${load.rounds} rounds of ${load.seconds} s, answers of ${JSON.stringify(ANSWER).length} bytes`,
  );
  console.log('| endpoint | requests/s | p50 | p99 | refused | service µs | database µs | driver µs |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const [name, turns] of [
    ['question, from the cache', questions],
    ['its answer at hand', hardened],
    ['bare Nest on Fastify', bare],
  ] as const) {
    const rates = turns.map(({ perSecond }) => Math.round(perSecond));
    const cells = [
      name,
      `${of(turns, 'perSecond').toFixed(0)} (${Math.min(...rates)} to ${Math.max(...rates)})`,
      ...(['p50Ms', 'p99Ms'] as const).map((what) => `${of(turns, what).toFixed(1)} ms`),
      turns.reduce((sum, { refused }) => sum + refused, 0),
      ...(['serviceUs', 'databaseUs', 'driverUs'] as const).map((what) => of(turns, what).toFixed(0)),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const shareOf = (turns: readonly Turn[]) =>
    median(turns.map(({ perSecond }, i) => (100 * perSecond) / bare[i]!.perSecond)).toFixed(1);
  console.log(
    `Requests/s of bare: ${shareOf(questions)} % from the cache, ${shareOf(hardened)} % with the answer at hand.`,
  );
}

async function audit(): Promise<void> {
  const appends: AppendLoad = { seconds: load.seconds, callers: AUDIT_CALLERS, tenants: AUDIT_TENANTS };
  await withAuditWorld(async (world) => {
    const { plain, alone, beside } = await appendFigures(world, appends);
    console.log(`\n| durable audit events awaited by ${AUDIT_CALLERS} | rows/s | of plain inserts |`);
    console.log('|---|---|---|');
    console.log(`| plain inserts in batches of 200 | ${plain} | 100 % |`);
    for (const [name, { perSecond }] of [
      ['alone', alone],
      ['beside the sealer', beside],
    ] as const)
      console.log(`| ${name} | ${perSecond} | ${((100 * perSecond) / plain).toFixed(0)} % |`);
  });
}

async function tokens(): Promise<void> {
  const costs = await tokenCosts(load.rounds);
  const of = (what: keyof (typeof costs)[number]) => median(costs.map((each) => each[what])).toFixed(1);
  console.log('\n| one check of an access token | processor µs |');
  console.log('|---|---|');
  console.log(`| cached | ${of('tokenCached')} |`);
  console.log(`| not cached: signature and session | ${of('tokenCold')} |`);
  console.log(`| its signature alone | ${of('token')} |`);
  console.log('A logout held for the next check of the same token.');
}

await endpoint();
await audit();
await tokens();
console.log(`\nLoad average at the end: ${loadavg()[0]!.toFixed(1)}`);
