import { execFile } from 'node:child_process';
import { chown, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { type Cell, expectThat, type Play } from '../cell.js';
import type { PostgresServer } from '../harness/postgres.js';
import { PLAIN, type SetUp } from '../harness/world.js';
import { BackgroundLoad } from '../load/background-load.js';
import type { Level } from '../load/history.js';
import { writeConversation } from '../load/operations.js';
import { answeredAtLeast, only, percentileAtMost, refusalsSayWhen, slowestAtMost } from './bounds.js';

const run = promisify(execFile);
const ANY_LEVEL: readonly Level[] = ['full', 'degraded', 'minimal', 'unavailable'];
const MINIMAL: readonly Level[] = ['full', 'degraded', 'minimal'];

const postgres = (cell: Omit<Cell, 'dependency' | 'setUp'> & Partial<Cell>): Cell => ({
  dependency: 'PostgreSQL',
  setUp: PLAIN,
  ...cell,
});

const diskOf = (folder: string) => join(tmpdir(), `navigator-small-disk-${basename(folder)}`);
const NOBODY = 65_534;

/** The program's database on a disk of 96 MB that can be filled. */
const SMALL_DISK: SetUp = {
  ...PLAIN,
  async prepare(server: PostgresServer, folder: string) {
    // Not in the folder of the cells, which the account of the server may not enter.
    const disk = diskOf(folder);
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0755', 'tmpfs', disk]);
    const space = join(disk, 'tablespace');
    await mkdir(space, { mode: 0o700 });
    await chown(space, NOBODY, NOBODY);
    await server.sql(`create tablespace small location '${space}'`);
    await server.maintain(`alter database navigator set tablespace small`);
  },
  cleanUp: async (folder: string) => {
    await run('umount', ['-l', diskOf(folder)]).catch(() => undefined);
    await rm(diskOf(folder), { recursive: true, force: true });
  },
};

/** The server answers, but not with what was asked for. */
export const refusalCells: readonly Cell[] = [
  postgres({
    id: 'F05',
    fault: 'read-only: every new transaction may only read',
    seconds: 20,
    begin: ({ world }) => setReadOnly(world.postgres, 'on'),
    heal: ({ world }) => setReadOnly(world.postgres, 'off'),
    levels: MINIMAL,
    recoverWithinMs: 5_000,
    expects: (evidence) => [
      answeredAtLeast(0.999, evidence.questions),
      answeredAtLeast(0.999, evidence.reads, 'reads'),
      only(['storage-read-only'], evidence.writes, 'writes'),
      refusalsSayWhen(evidence.during()),
    ],
  }),
  postgres({
    id: 'F06',
    fault: 'disk full',
    setUp: SMALL_DISK,
    seconds: 30,
    impossible: () => (process.getuid?.() === 0 ? undefined : 'mounting a small disk needs root'),
    perSecond: 20,
    begin: ({ world }) => fillDisk(diskOf(world.folder)),
    heal: ({ world }) => rm(join(diskOf(world.folder), 'ballast')),
    levels: MINIMAL,
    recoverWithinMs: 10_000,
    alerts: true,
    expects: (evidence) => [
      expectThat(
        evidence.codes['503 storage-full'] !== undefined,
        `${evidence.codes['503 storage-full'] ?? 0} writes were refused for want of space`,
      ),
      answeredAtLeast(0.999, evidence.questions),
      answeredAtLeast(0.999, evidence.reads, 'reads'),
      only(['storage-full'], evidence.writes, 'writes'),
    ],
  }),
  postgres({
    id: 'F08',
    fault: 'every round trip takes 500 ms longer',
    // A program that has just started has not yet made all the connections that it keeps in stock.
    steadySeconds: 10,
    seconds: 30,
    begin: ({ world }) => world.postgresProxy.inject({ toServer: { latencyMs: 500 } }),
    heal: ({ world }) => world.postgresProxy.heal(),
    levels: ['full', 'degraded', 'minimal'],
    recoverWithinMs: 10_000,
    expects: (evidence) => [
      answeredAtLeast(0.99, [...evidence.questions, ...evidence.writes], 'questions and writes'),
      percentileAtMost(0.99, 3_000, [...evidence.questions, ...evidence.writes], 'questions and writes'),
    ],
  }),
  postgres({
    id: 'F10',
    fault: 'another session holds the table of conversations locked',
    seconds: 20,
    begin: (play) => hold(play, 'begin; lock table conversation in access exclusive mode'),
    heal: release,
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    expects: (evidence) => [
      answeredAtLeast(
        0.999,
        [...evidence.during('search'), ...evidence.during('documents'), ...evidence.during('upload')],
        'searches, uploads and lists of documents',
      ),
      slowestAtMost(1_500, evidence.writes, 'refusals of what needs the table'),
      refusalsSayWhen(evidence.during()),
    ],
  }),
  postgres({
    id: 'F11',
    fault: 'an idle transaction holds a lock until all connections of the pool wait for it',
    setUp: { ...PLAIN, environment: { DATABASE_POOL_MAX: '6' } },
    seconds: 20,
    begin: (play) => hold(play, 'begin; lock table audit_event in access exclusive mode'),
    async during({ world, client, cell, notes }) {
      const flood = new BackgroundLoad(client, world.tenants, {
        perSecond: 20,
        seed: 3,
        make: writeConversation,
      });
      notes['asked'] = notes['answered'] = 0;
      for (let second = 0; second < cell.seconds; second++) {
        await delay(1_000);
        notes['asked'] += 1;
        if (await world.operator.metrics(world.replica)) notes['answered'] += 1;
      }
      await flood.stop(0);
    },
    heal: release,
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    expects: (evidence, { notes }) => [
      expectThat(
        notes['asked'] === notes['answered'],
        `${notes['answered']} of ${notes['asked']} requests of the operator answered`,
      ),
      slowestAtMost(1_500, evidence.writes, 'refusals'),
      refusalsSayWhen(evidence.during()),
    ],
  }),
  postgres({
    id: 'F12',
    fault: 'too many connections (53300) beyond three',
    seconds: 20,
    begin: ({ world }) => limitConnections(world.postgres, 3),
    heal: ({ world }) => limitConnections(world.postgres, -1),
    levels: ANY_LEVEL,
    recoverWithinMs: 5_000,
    expects: (evidence) => {
      const opened = evidence.growth('navigator_resilience_events_total', {
        policy: 'postgres',
        event: 'opened',
      });
      return [
        expectThat(opened === 0, `the circuit opened ${opened} times (bound 0)`),
        refusalsSayWhen(evidence.during()),
        answeredAtLeast(0.9, evidence.during(), 'requests, over three connections,'),
      ];
    },
  }),
  postgres({
    id: 'F13',
    fault: 'deadlocks (40P01) and serialization failures (40001)',
    seconds: 20,
    begin: ({ world }) => world.postgres.sql(COLLISIONS),
    heal: ({ world }) =>
      world.postgres.sql(
        'drop trigger collide on conversation; drop function collide(); drop sequence collision',
      ),
    levels: ['full'],
    recoverWithinMs: 3_000,
    expects: async (evidence, { notes }) => [
      expectThat(
        (notes['collisions'] ?? 0) >= 5,
        `${notes['collisions']} transactions were broken off by the server`,
      ),
      answeredAtLeast(1, evidence.during(), 'requests'),
    ],
    async during({ world, cell, notes }) {
      await delay(cell.seconds * 1_000);
      const [row] = await world.postgres.sql<{ count: number }>(
        'select last_value::int as count from collision',
      );
      notes['collisions'] = Math.floor(row!.count / 3);
    },
  }),
];

async function setReadOnly(server: PostgresServer, value: 'on' | 'off'): Promise<void> {
  await server.sql(`alter system set default_transaction_read_only = ${value}`);
  await server.sql('select pg_reload_conf()');
}

async function fillDisk(disk: string): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  // What is left is used up by the writes of the next moments.
  await writeFile(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - 65_536)));
}

const held = new Map<string, Client>();

async function hold({ world, cell }: Play, statement: string): Promise<void> {
  const client = await world.postgres.connect();
  await client.query(statement);
  held.set(cell.id, client);
}

async function release({ cell }: Play): Promise<void> {
  await held.get(cell.id)?.end();
  held.delete(cell.id);
}

/** Of the program; beyond it the server answers 53300. Its present sessions end, so that it has to connect anew. */
async function limitConnections(server: PostgresServer, limit: number): Promise<void> {
  await server.sql(`alter role "${await server.programRole()}" connection limit ${limit}`);
  if (limit >= 0)
    await server.sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename like '%\\_login'`);
}

/** Every third conversation that is written collides, by turns in one way or the other. */
const COLLISIONS = `
  create sequence collision;
  create function collide() returns trigger language plpgsql security definer as $$
  declare n bigint := nextval('collision');
  begin
    if n % 6 = 0 then raise exception 'a deadlock, made by the cell' using errcode = '40P01'; end if;
    if n % 3 = 0 then raise exception 'a serialization failure, made by the cell' using errcode = '40001'; end if;
    return new;
  end $$;
  create trigger collide before insert or update on conversation for each row execute function collide()`;
