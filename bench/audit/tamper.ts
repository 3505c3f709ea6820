import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ArchiveRecord, readArchive } from '#libs/audit';
import { withClient } from '#libs/database';
import { seeded } from '../../chaos/harness/random.js';
import { recordsOf, stateOf } from '../../test/support/audit-state.js';
import { tamper } from '../../test/support/audit-tampering.js';
import { hasPython, judge, judgeInPython, locates } from '../../test/support/audit-verifiers.js';
import { anchorsOf, type AuditWorld, furnish } from '../../test/support/audit-world.js';
import { withAuditWorld } from './world.js';

/** Archives that the second verifier is given at once. */
const BATCH = 200;

const { values } = parseArgs({
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});

async function archiveOf(world: AuditWorld): Promise<ArchiveRecord[]> {
  await furnish(world);
  return withClient(world.db.url, async (client) => {
    const records: ArchiveRecord[] = [];
    for await (const record of readArchive(client)) records.push(record);
    return records;
  });
}

/** Tampers with the evidence of a real log in random ways and counts how many each verifier finds and locates. */
await withAuditWorld(async (world) => {
  const [count, random] = [Number(values.count), seeded(Number(values.seed))];
  const state = stateOf(await archiveOf(world));
  const anchors = await anchorsOf(world);
  const ways = new Map<string, number>();
  const missed: object[] = [];
  const ms = { tampering: 0, first: 0, second: 0 };
  const timed = async <T>(what: keyof typeof ms, work: () => T | Promise<T>): Promise<T> => {
    const since = performance.now();
    const result = await work();
    ms[what] += performance.now() - since;
    return result;
  };
  for (let done = 0; done < count; done += BATCH) {
    const rounds = await timed('tampering', () =>
      Array.from({ length: Math.min(BATCH, count - done) }, () => {
        const copy = structuredClone(state);
        return { tampering: tamper(copy, random), records: recordsOf(copy) };
      }),
    );
    const verdicts = await timed('first', () =>
      rounds.map(({ records }) => judge(records, world.keys, anchors)),
    );
    const folder = await mkdtemp(join(tmpdir(), 'audit-archives-'));
    const archives = rounds.map(({ records }) => records);
    const python = hasPython
      ? await timed('second', () => judgeInPython(folder, archives, world.keys, world.anchorFile))
      : undefined;
    await rm(folder, { recursive: true, force: true });
    rounds.forEach(({ tampering }, i) => {
      ways.set(tampering.name, (ways.get(tampering.name) ?? 0) + 1);
      const all = python ? [verdicts[i]!, python.verdicts[i]!] : [verdicts[i]!];
      if (!all.every((verdict) => locates(verdict, tampering))) missed.push({ tampering, verdicts: all });
    });
  }
  for (const [way, times] of [...ways].sort(([, a], [, b]) => b - a))
    console.log(`${String(times).padStart(6)}  ${way}`);
  const verifiers = hasPython ? 'both verifiers' : 'one verifier (there is no Python)';
  console.log(`${count - missed.length} of ${count} tamperings found and located by ${verifiers}`);
  console.log(
    Object.entries(ms)
      .map(([what, each]) => `${what} ${(each / count).toFixed(1)} ms each`)
      .join(', '),
  );
  if (missed.length > 0) {
    console.log(JSON.stringify(missed.slice(0, 3), null, 2));
    process.exitCode = 1;
  }
});
