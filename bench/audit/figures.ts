import { hash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AuditQuery, auditSnapshot, listAudit } from '#libs/audit';
import { ExportFiles, type ExportJob, ExportKinds } from '#libs/exports';
import { AuditExport, FORMATS } from '../../apps/api/src/ops/audit/exports/audit-export.kind.js';
import type { AuditWorld } from '../../test/support/audit-world.js';
import { percentile } from '../statistics.js';
import { appendFigures, type AppendRate } from './appends.js';
import { withAuditWorld } from './world.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    callers: { type: 'string', default: '100' },
    events: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '200' },
    // Among whom the events that are asked for are spread; 1 puts all of them into one log.
    tenants: { type: 'string', default: '20' },
  },
});
const [seconds, callers, events, queries] = [
  values.seconds,
  values.callers,
  values.events,
  values.queries,
].map(Number) as [number, number, number, number];

const TENANTS = Number(values.tenants);
/** One event in so many is of an action that is seldom, and refused. */
const SELDOM = 20_000;

/** As many events as asked for, made by the server: only reading them is measured. */
async function fill(
  { db }: AuditWorld,
  tenantIds: readonly string[],
  actors: readonly string[],
): Promise<void> {
  const step = 100_000;
  for (let done = 0; done < events; done += step)
    await db.owner.query(
      `with made as (
         select ($1::uuid[])[1 + (i % cardinality($1::uuid[]))] as tenant_id, gen_random_uuid() as id,
                now() - i * interval '1 second' as occurred_at,
                case when i % ${SELDOM} = 0 then 'tenant.configure'
                     else (array['document.read', 'document.upload', 'question.ask', 'auth.login'])[1 + i % 4] end as action,
                case when i % ${SELDOM} = 0 then 'admin' else 'data.read' end as category,
                ($2::uuid[])[1 + (i % cardinality($2::uuid[]))] as actor_id,
                jsonb_build_array(jsonb_build_object('type', 'document', 'id', md5('target ' || i)::uuid)) as targets,
                case when i % ${SELDOM} = 0 then 'denied' else 'success' end as outcome,
                md5('request ' || i)::uuid as request_id, i
         from generate_series($3::int, $4::int) i
       ), added as (
         insert into audit_event (tenant_id, id, occurred_at, action, category, actor_type, actor_id, targets, outcome, request_id, body)
         select tenant_id, id, occurred_at, action, category, 'user', actor_id, targets, outcome, request_id,
                convert_to(json_build_object(
                  'action', action, 'actor', json_build_object('credential_id', id, 'id', actor_id, 'role', 'member', 'type', 'user'),
                  'category', category, 'context', json_build_object(), 'detail', json_build_object('size_bytes', i),
                  'id', id, 'occurred_at', occurred_at, 'outcome', outcome, 'reason', null, 'request_id', request_id,
                  'route', 'GET /v1/documents/:id', 'targets', targets, 'tenant_id', tenant_id, 'v', 1)::text, 'UTF8')
         from made
       )
       insert into audit_leaf (tenant_id, leaf_index, event_id, hash)
       select tenant_id, $5::int - i / cardinality($1::uuid[]), id, sha256(id::text::bytea) from made`,
      [tenantIds, actors, done, Math.min(done + step, events) - 1, events],
    );
  await db.owner.query('analyze audit_event, audit_target, audit_leaf');
}

/** What `fill` gave the event of this number. */
function idOf(what: 'target' | 'request', event: number): string {
  const hex = hash('md5', `${what} ${event}`);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

async function queryTimes(
  { db }: AuditWorld,
  tenantIds: readonly string[],
  actors: readonly string[],
): Promise<Record<string, number[]>> {
  const at = (i: number) => new Date(Date.now() - i * 1_000).toISOString();
  const random = () => Math.floor(Math.random() * events);
  const kinds: Record<string, (event: number) => Partial<AuditQuery>> = {
    'latest page': () => ({}),
    'deep page': () => ({ after: { occurredAt: at(random()), id: randomUUID() } }),
    'time range': () => ({ from: at(random()), order: 'asc' }),
    actor: () => ({ actorId: actors[random() % actors.length] }),
    action: () => ({ action: 'question.ask' }),
    'action prefix': () => ({ action: 'document.*' }),
    'action that is seldom': () => ({ action: 'tenant.*' }),
    'category that is seldom': () => ({ category: 'admin' }),
    'refused, which is seldom': () => ({ outcome: 'denied' }),
    target: (event) => ({ targetId: idOf('target', event) }),
    request: (event) => ({ requestId: idOf('request', event) }),
    'text in action': () => ({ text: 'upload' }),
    'text in action that is seldom': () => ({ text: 'configure' }),
    'text is a target': (event) => ({ text: idOf('target', event) }),
    'text that is nowhere': () => ({ text: 'nowhere' }),
  };
  const times: Record<string, number[]> = {};
  for (const [kind, query] of Object.entries(kinds)) {
    times[kind] = [];
    for (let i = 0; i < queries; i++) {
      const event = random();
      const tenantId = tenantIds[event % TENANTS]!;
      const since = performance.now();
      await db.tenantDb.read(tenantId, (tx) =>
        listAudit(tx, tenantId, { order: 'desc', limit: 21, ...query(event) }),
      );
      times[kind].push(performance.now() - since);
    }
    times[kind].sort((a, b) => a - b);
  }
  return times;
}

/** The whole log of a tenant, into a file that is synced. */
async function exportRate(
  { db, folder }: AuditWorld,
  tenantId: string,
  parameters: { format: string; gzip: boolean },
): Promise<{ rows: number; perSecond: number; megabytes: number; heapMegabytes: number }> {
  const kind = new AuditExport(db.tenantDb, new ExportKinds());
  const snapshot = await db.tenantDb.read(tenantId, auditSnapshot);
  const job = { tenantId, id: randomUUID(), claimId: randomUUID(), gzip: parameters.gzip };
  const draft = await new ExportFiles(join(folder, 'exports')).draft(job, Infinity);
  let heap = 0;
  const out = {
    write: (chunk: string | Uint8Array) => draft.write(chunk),
    progress: () => (heap = Math.max(heap, process.memoryUsage().heapUsed)),
  };
  const since = performance.now();
  const { rows } = await kind.write(
    { ...job, parameters: { ...parameters, filter: { snapshot } } } as unknown as ExportJob,
    out,
    new AbortController().signal,
  );
  const { bytes } = await draft.finish();
  const seconds = (performance.now() - since) / 1_000;
  await draft.discard();
  return { rows, perSecond: Math.round(rows / seconds), megabytes: bytes / 1e6, heapMegabytes: heap / 1e6 };
}

await withAuditWorld(async (world) => {
  const show = (what: string, figure: string) => console.log(`${what.padEnd(52)} ${figure}`);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rate = ({ perSecond, p50Ms, p99Ms }: AppendRate) =>
    `${perSecond} (p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)})`;

  const { plain, alone, sealed, beside, ages } = await appendFigures(world, {
    seconds,
    callers,
    tenants: TENANTS,
  });
  show('plain inserts in batches of 200, events/s', String(plain));
  show(`durable events awaited by ${callers}, events/s`, rate(alone));
  show('sealing what is there, events/s', String(sealed));
  show('the same beside the sealer, events/s', rate(beside));
  show(
    'from event to sealed',
    `p50 ${ms(1_000 * percentile(ages, 0.5))}, p99 ${ms(1_000 * percentile(ages, 0.99))}`,
  );
  show(
    'ratio to plain inserts, alone and beside',
    `${(alone.perSecond / plain).toFixed(2)}, ${(beside.perSecond / plain).toFixed(2)}`,
  );
  const size = await world.db.owner.query(
    `select pg_total_relation_size('audit_event') / count(*) as event,
            (pg_total_relation_size('audit_leaf') + pg_total_relation_size('audit_tile')) / count(*) as leaf from audit_event`,
  );
  show('bytes per event, and of its leaf', `${size.rows[0].event}, ${size.rows[0].leaf}`);
  const asked = await Promise.all(
    Array.from({ length: TENANTS }, async () => (await world.db.createTenant()).tenantId),
  );
  const actors = Array.from({ length: 50 }, () => randomUUID());
  await fill(world, asked, actors);
  for (const [kind, times] of Object.entries(await queryTimes(world, asked, actors)))
    show(
      `query of ${events} events: ${kind}`,
      `p50 ${ms(percentile(times, 0.5))}, p95 ${ms(percentile(times, 0.95))}`,
    );
  for (const format of FORMATS)
    for (const gzip of [false, true]) {
      const { rows, perSecond, megabytes, heapMegabytes } = await exportRate(world, asked[0]!, {
        format,
        gzip,
      });
      show(
        `export of ${rows} events: ${format}${gzip ? ', gzip' : ''}, rows/s`,
        `${perSecond} (${megabytes.toFixed(0)} MB; heap ${heapMegabytes.toFixed(0)} MB at most)`,
      );
    }
});
