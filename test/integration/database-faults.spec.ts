import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import { deadlineSignal } from '#libs/resilience';
import { asRequest, faultyDatabase, type FaultyDatabase, until } from '../support/faulty-database.js';

const tenantId = randomUUID();
const CONFLICT = `do $$ begin raise exception 'again' using errcode = '40001'; end $$`;

describe('the database under faults', () => {
  let world: FaultyDatabase;

  beforeAll(async () => {
    world = await faultyDatabase();
  }, 60_000);
  afterAll(() => world.close());
  afterEach(async () => {
    await world.proxy.heal();
    await until(() => works());
    world.policy.reset();
    await world.owner.query('delete from thing');
  });

  const count = (signal?: AbortSignal) =>
    asRequest(() =>
      world.db.read(
        tenantId,
        async (tx) => Number((await tx.query<{ n: string }[]>('select count(*) as n from thing'))[0]!.n),
        { signal },
      ),
    );
  const insert = (id: number) =>
    asRequest(() => world.db.run(tenantId, (tx) => tx.query('insert into thing (id) values ($1)', [id])));
  const works = () =>
    count().then(
      () => true,
      () => false,
    );
  const sleep = (seconds: number, signal?: AbortSignal) =>
    asRequest(() => world.db.read(tenantId, (tx) => tx.query('select pg_sleep($1)', [seconds]), { signal }));
  const running = async (like: string) => {
    const { rows } = await world.owner.query<{ pid: number }>(
      `select pid from pg_stat_activity where query like $1 and state = 'active' and pid <> pg_backend_pid()`,
      [like],
    );
    return rows;
  };
  /** Nobody holds a connection, and none is lost to the pool. */
  const poolIsWhole = () => {
    const { master } = world.source.driver as unknown as {
      master: { totalCount: number; idleCount: number; waitingCount: number };
    };
    return master.totalCount === master.idleCount && master.waitingCount === 0;
  };

  describe('when a process of the server is killed, and with it every session', () => {
    it('retries what reads, and reports what writes, within three seconds', async () => {
      await Promise.all([count(), count(), count()]);
      const reads = Array.from({ length: 3 }, () => sleepingCount());
      const write = asRequest(() =>
        world.db.run(tenantId, async (tx) => {
          await tx.query('insert into thing (id) values (1)');
          await tx.query('select pg_sleep(20)');
        }),
      );
      const outcome = expect(write).rejects.toBeInstanceOf(DependencyUnavailable);
      await until(async () => (await running('%pg_sleep%')).length === 4);
      const [{ pid }] = (await running('select pg_sleep(20)')) as [{ pid: number }];
      process.kill(pid, 'SIGKILL');
      await outcome;
      expect(await Promise.all(reads)).toEqual([0, 0, 0]);
      await until(poolIsWhole);
    });

    /** Long at its first attempt, so that it is there when the server breaks off. */
    function sleepingCount(): Promise<number> {
      let attempts = 0;
      return asRequest(() =>
        world.db.read(tenantId, async (tx) => {
          if (attempts++ === 0) await tx.query('select pg_sleep(1.9)');
          return Number((await tx.query<{ n: string }[]>('select count(*) as n from thing'))[0]!.n);
        }),
      );
    }
  });

  describe('when the server is gone', () => {
    it('says so at once, does not storm it, and works again when it is back', async () => {
      process.kill(world.server.pid, 'SIGKILL');
      await world.proxy.inject({ connect: 'reset' });
      world.proxy.resetConnections();
      const since = performance.now();
      let refused = 0;
      try {
        // The first are let wait, because it might have been a crash that it recovers from by itself.
        while (refused < 500) {
          await Promise.all(Array.from({ length: 10 }, () => count().catch(() => (refused += 1))));
          await delay(20);
        }
        // At first each of the pool's connections may be tried for; then one attempt decides for all.
        expect(world.proxy.busiestSecond(since)).toBeLessThanOrEqual(6);
        expect(world.proxy.busiestSecond(since + 500)).toBeLessThanOrEqual(2);
      } finally {
        await world.restart();
        await world.proxy.heal();
      }
      await until(works);
      await expect(world.probe.ping()).resolves.toBeUndefined();
    });

    it('opens the circuit at the first refused connection', async () => {
      await world.proxy.inject({ connect: 'refuse' });
      world.proxy.resetConnections();
      await until(async () => {
        await expect(count()).rejects.toBeInstanceOf(DependencyUnavailable);
        return world.policy.state === 'open';
      });
      await expect(world.probe.ping()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
  });

  it('refuses writes and goes on reading while the server is read-only', async () => {
    const set = async (value: string) => {
      await world.owner.query(`alter system set default_transaction_read_only = ${value}`);
      await world.owner.query('select pg_reload_conf()');
    };
    await insert(10);
    await set('on');
    try {
      await until(() =>
        insert(11).then(
          () => false,
          () => true,
        ),
      );
      await expect(insert(12)).rejects.toMatchObject({ code: 'storage-read-only', kind: 'unavailable' });
      expect(await count()).toBeGreaterThan(0);
      expect(world.policy.describe().window.failures).toBe(0);
    } finally {
      await set('off');
    }
    await until(() =>
      insert(13).then(
        () => true,
        () => false,
      ),
    );
  });

  it('answers within its time when every packet takes half a second', async () => {
    await count();
    await world.proxy.inject({ toServer: { latencyMs: 500 } });
    const start = performance.now();
    await count();
    expect(performance.now() - start).toBeGreaterThan(450);
    await expect(Promise.all([count(), count(), count()])).resolves.toEqual([0, 0, 0]);
    expect(world.policy.describe().window.failures).toBe(0);
  });

  describe('when the server falls silent', () => {
    it('lets a caller go at his deadline, and destroys the connection', async () => {
      await count();
      await world.proxy.inject({ toServer: { hang: true }, toClient: { hang: true }, connect: 'half-open' });
      const deadline = deadlineSignal(400);
      await expect(count(deadline.signal)).rejects.toMatchObject({ code: 'deadline-exceeded' });
      await until(poolIsWhole);
    });

    it('lets a caller without a deadline go too, and the pool is whole afterwards', async () => {
      await Promise.all(Array.from({ length: 6 }, () => count()));
      await world.proxy.inject({ toServer: { hang: true }, toClient: { hang: true }, connect: 'half-open' });
      const callers = Array.from({ length: 4 }, () => insert(20));
      const outcomes = await Promise.allSettled(callers);
      expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
      await until(poolIsWhole);
      await expect(world.probe.ping()).rejects.toBeDefined();
      await world.proxy.heal();
      await until(works);
    }, 30_000);

    it('lets a job go too, which has minutes otherwise, once somebody has waited in vain', async () => {
      await Promise.all([count(), count()]);
      await world.proxy.inject({ toServer: { hang: true }, toClient: { hang: true }, connect: 'half-open' });
      const job = world.db.run(tenantId, (tx) => tx.query('select 1'), { timeoutMs: 600_000 });
      const outcome = expect(job).rejects.toBeInstanceOf(DependencyUnavailable);
      await expect(count()).rejects.toBeInstanceOf(DependencyUnavailable);
      await outcome;
      await until(poolIsWhole);
    }, 30_000);
  });

  it('reports a table that is locked after a second, while other tables work', async () => {
    await world.owner.query('create table other (id int)');
    const blocker = await world.owner.connect();
    await blocker.query('begin; lock table thing in access exclusive mode');
    const start = performance.now();
    await expect(insert(30)).rejects.toMatchObject({ code: 'database-busy', kind: 'unavailable' });
    expect(performance.now() - start).toBeGreaterThan(900);
    await asRequest(() => world.db.read(tenantId, (tx) => tx.query('select from other')));
    await blocker.query('rollback');
    blocker.release();
    await world.owner.query('drop table other');
  });

  describe('when every connection is in use', () => {
    it('lets a caller wait a quarter of a second, and keeps two for what matters most', async () => {
      const abort = new AbortController();
      const holders = Array.from({ length: 4 }, () => sleep(30, abort.signal).catch(() => undefined));
      await until(async () => (await running('%pg_sleep%')).length >= 4);
      const start = performance.now();
      await expect(count()).rejects.toMatchObject({
        code: 'dependency-unavailable',
        reason: 'queue-timeout',
      });
      expect(performance.now() - start).toBeGreaterThan(200);
      const important = () =>
        asRequest(() => world.db.read(tenantId, (tx) => tx.query('select 1'), { priority: 'critical-plus' }));
      await Promise.all([important(), important()]);
      abort.abort(new Error('left'));
      await Promise.all(holders);
    });
  });

  it('cancels the statement of a caller who left, and goes on using the connection', async () => {
    const abort = new AbortController();
    const call = sleep(60, abort.signal);
    await until(async () => (await running('%pg_sleep%')).length === 1);
    const [backend] = await sessions('%pg_sleep%');
    abort.abort(new Error('the client left'));
    await expect(call).rejects.toThrow('the client left');
    await until(async () => (await running('%pg_sleep%')).length === 0);
    await until(poolIsWhole);
    expect(await sessions('%')).toContain(backend);

    /** Those of the program whose last statement is like this. */
    async function sessions(statement: string): Promise<number[]> {
      const { rows } = await world.owner.query<{ pid: number }>(
        'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like $1',
        [statement],
      );
      return rows.map(({ pid }) => pid);
    }
  });

  it('ends a statement that takes longer than it may', async () => {
    await expect(sleep(60)).rejects.toBeInstanceOf(DependencyTimeout);
    expect(world.policy.describe().window.failures).toBe(1);
  });

  describe('when two transactions are in each other’s way', () => {
    beforeEach(() => world.owner.query('insert into thing (id) values (1), (2)'));
    it('runs the one that lost a deadlock again, so that nobody notices', async () => {
      const meeting = Promise.withResolvers<void>();
      let arrived = 0;
      let runs = 0;
      const swap = (from: number, to: number) => async (tx: EntityManager) => {
        runs += 1;
        await tx.query('update thing set n = n - 1 where id = $1', [from]);
        if (++arrived === 2) meeting.resolve();
        await meeting.promise;
        await tx.query('update thing set n = n + 1 where id = $1', [to]);
      };
      // On a busy machine the deadlock is found late.
      const transfer = (from: number, to: number) =>
        asRequest(() => world.db.run(tenantId, swap(from, to), { timeoutMs: 20_000 }));
      await Promise.all([transfer(1, 2), transfer(2, 1)]);
      expect(runs).toBe(3);
      const { rows } = await world.owner.query('select n from thing');
      expect(rows).toEqual([{ n: 0 }, { n: 0 }]);
    });

    it('runs the one that could not be serialized again', async () => {
      let runs = 0;
      const result = await asRequest(() =>
        world.db.run(tenantId, async (tx) => {
          await tx.query('update thing set n = n + 1 where id = 1');
          if (runs++ < 2) await tx.query(CONFLICT);
          return 'done';
        }),
      );
      expect([result, runs]).toEqual(['done', 3]);
      const { rows } = await world.owner.query('select n from thing where id = 1');
      expect(rows).toEqual([{ n: 1 }]);
    });

    it('gives up after three more runs', async () => {
      let runs = 0;
      const change = asRequest(() =>
        world.db.run(tenantId, async (tx) => {
          runs += 1;
          await tx.query(CONFLICT);
        }),
      );
      await expect(change).rejects.toMatchObject({ code: 'database-busy' });
      expect(runs).toBe(4);
    });
  });
});

describe('a database that has no connection left', () => {
  it('serves with those that there are, tells the others to wait, and is used fully again afterwards', async () => {
    const world = await faultyDatabase({ settings: { max_connections: '14' }, poolMax: 8 });
    const others: pg.Client[] = [];
    try {
      const select = () =>
        asRequest(() => world.db.read(tenantId, (tx) => tx.query('select pg_sleep(0.02)')));
      await Promise.all([select(), select()]);
      await takeTheRest(world.server.url, others);

      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, select));
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DependencyUnavailable);
      expect(world.policy.describe()).toMatchObject({ state: 'closed', window: { failures: 0 } });

      await Promise.all(others.splice(0).map((other) => other.end()));
      await until(async () => {
        const again = await Promise.allSettled(Array.from({ length: 8 }, select));
        return again.every(({ status }) => status === 'fulfilled');
      });
    } finally {
      await Promise.all(others.map((other) => other.end()));
      await world.close();
    }
  }, 60_000);

  async function takeTheRest(url: string, others: pg.Client[]): Promise<void> {
    for (;;) {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        others.push(client);
      } catch {
        return;
      }
    }
  }
});
