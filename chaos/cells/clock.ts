import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cell, type Expectation, expectThat, type Play } from '../cell.js';
import type { Evidence } from '../evidence.js';
import { PLAIN, type SetUp } from '../harness/world.js';
import { writeConversation } from '../load/operations.js';
import { answeredAtLeast } from './bounds.js';

const LIBRARY = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => join(folder, 'faketime/libfaketimeMT.so.1'))
  .find((path) => existsSync(path));
const OFFSET_FILE = join(tmpdir(), `navigator-chaos-clock-${process.pid}`);
const EACH_MS = 10_000;

/** The program's clock is a file's; the machine's is left alone. */
const faked = (monotonicToo: boolean): SetUp => ({
  ...PLAIN,
  environment: {
    ...(LIBRARY ? { LD_PRELOAD: LIBRARY } : {}),
    FAKETIME_TIMESTAMP_FILE: OFFSET_FILE,
    FAKETIME_CACHE_DURATION: '1',
    ...(monotonicToo ? {} : { FAKETIME_DONT_FAKE_MONOTONIC: '1' }),
  },
  prepare: () => setClock('+0'),
});

const setClock = (offset: string) => writeFile(OFFSET_FILE, `${offset}\n`);

const clock = (cell: Omit<Cell, 'dependency' | 'seconds' | 'begin' | 'recoverWithinMs'>): Cell => ({
  dependency: 'clock',
  seconds: (2 * EACH_MS) / 1_000,
  impossible: () => (LIBRARY ? undefined : 'libfaketime is not installed'),
  begin: () => setClock('+1h'),
  recoverWithinMs: 5_000,
  ...cell,
});

function opensNothing(evidence: Evidence): Expectation {
  const opened = evidence.growth('navigator_resilience_events_total', { event: 'opened' });
  return expectThat(opened === 0, `circuits opened ${opened} times (bound 0)`);
}

export const clockCells: readonly Cell[] = [
  clock({
    id: 'F43',
    fault: 'jumps an hour ahead, then two back; timers run on',
    setUp: faked(false),
    during: jump,
    heal: () => setClock('+0'),
    levels: ['full'],
    expects: (evidence, { notes }) => [
      answeredAtLeast(0.999, evidence.during(), 'requests'),
      opensNothing(evidence),
      expectThat(
        notes['inOrder'] === 1,
        `ids made after the clock went back sort ${notes['inOrder'] ? 'last' : 'first'} (bound last)`,
      ),
    ],
  }),
  clock({
    id: 'F43m',
    // Back it never goes, by its name: Node's own timers would stand still until it has caught up. Ahead it goes when the
    // machine was suspended; whatever was under way is then past its deadline.
    fault: 'jumps an hour ahead, and the monotonic clock with it, as after a suspension of the machine',
    setUp: faked(true),
    heal: () => Promise.resolve(),
    levels: ['full', 'unavailable'],
    expects: (evidence) => [answeredAtLeast(0.95, evidence.during(), 'requests'), opensNothing(evidence)],
  }),
];

async function jump({ client, world, notes }: Play): Promise<void> {
  const tenant = world.tenants[0]!;
  await delay(EACH_MS);
  const before = await client.send(writeConversation(tenant));
  await setClock('-1h');
  await delay(EACH_MS);
  const after = await client.send(writeConversation(tenant));
  const [first, second] = [before, after].map(({ operation }) => operation.resourceId ?? '');
  notes['inOrder'] = Number(first! < second!);
}
