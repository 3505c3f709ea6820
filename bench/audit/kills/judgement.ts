import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditKeys, type Verdict } from '#libs/audit';
import { loadConfig } from '#libs/config';
import { sections } from '../../../apps/api/src/app.config.js';
import { verifyAudit } from '../../../apps/api/src/audit-verify.js';
import { until } from '../../../chaos/harness/until.js';
import { hasPython, runPython } from '../../../test/support/audit-verifiers.js';
import type { KilledInstallation } from './killed-installation.js';
import type { Mutation } from './mutating-clients.js';

export interface Judgement {
  acknowledged: number;
  /** Mutations that were refused or never answered, and those of them that were done all the same. */
  unknown: number;
  unknownDone: number;
  events: number;
  checkpoints: number;
  /** What is wrong, for people. */
  problems: string[];
}

const SEALED_WITHIN_MS = 60_000;
const ACTIONS = { create: 'conversation.create', delete: 'conversation.delete' };

/**
 * Every mutation that was acknowledged has been done and has exactly one event of success; every other one has been done
 * and has exactly one, or has not been done and has none. The log verifies by both verifiers.
 */
export async function judge(
  { postgres, environment }: KilledInstallation,
  mutations: readonly Mutation[],
): Promise<Judgement> {
  const counts = await postgres.sql<{ request_id: string; action: string; count: number }>(
    `select request_id, action, count(*)::int as count from audit_event
     where outcome = 'success' and request_id is not null group by 1, 2`,
  );
  const eventsOf = new Map(counts.map(({ request_id, action, count }) => [`${request_id} ${action}`, count]));
  const rows = await postgres.sql<{ title: string }>('select title from conversation');
  const there = new Set(rows.map(({ title }) => title));
  const deleted = new Set(
    mutations.filter((each) => each.kind === 'delete' && !there.has(each.title)).map(({ title }) => title),
  );
  const problems: string[] = [];
  const result = { acknowledged: 0, unknown: 0, unknownDone: 0 };
  for (const { kind, requestId, title, acknowledged } of mutations) {
    const count = eventsOf.get(`${requestId} ${ACTIONS[kind]}`) ?? 0;
    const isDone = kind === 'create' ? there.has(title) || deleted.has(title) : deleted.has(title);
    if (acknowledged) result.acknowledged += 1;
    else {
      result.unknown += 1;
      result.unknownDone += count;
    }
    if (count !== Number(isDone) || (acknowledged && !isDone))
      problems.push(
        `${kind} ${requestId}: ${count} events, ${isDone ? '' : 'not '}done, ${acknowledged ? '' : 'not '}acknowledged`,
      );
  }
  const verified = await verify({ postgres, environment } as KilledInstallation);
  return { ...result, ...verified, problems: [...problems, ...verified.problems] };
}

async function verify({ postgres, environment }: KilledInstallation) {
  const isSealed = await until(async () => {
    const [row] = await postgres.sql<{ waiting: boolean }>(
      `select exists (select from audit_event e where not exists (
                select from audit_leaf l where l.tenant_id = e.tenant_id and l.event_id = e.id))
              or exists (select from audit_tree where size > checkpointed_size) as waiting`,
    );
    return !row!.waiting;
  }, SEALED_WITHIN_MS);
  const problems = isSealed ? [] : ['events are not sealed and signed after a minute'];
  const folder = await mkdtemp(join(tmpdir(), 'navigator-audit-judged-'));
  try {
    const archive = join(folder, 'archive.ndjson');
    const config = loadConfig(sections, environment);
    const first = await verifyAudit({ write: archive, anchors: [], keys: [] }, config);
    const verdicts: Verdict[] = [first];
    if (hasPython) {
      const dataDir = environment.DATA_DIR!;
      const keys = await AuditKeys.load(join(dataDir, 'secrets', 'audit-keys.json'));
      verdicts.push(
        ...(await runPython([archive], keys, join(dataDir, 'audit-checkpoints.ndjson'))).verdicts,
      );
    }
    for (const { status, findings, incomplete } of verdicts)
      if (status !== 'clean')
        problems.push(`the log is ${status}: ${JSON.stringify([findings, incomplete])}`);
    return { events: first.counts.events, checkpoints: first.counts.checkpoints, problems };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
