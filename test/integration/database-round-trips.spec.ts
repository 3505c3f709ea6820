import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { asRequest, faultyDatabase, type FaultyDatabase } from '../support/faulty-database.js';

/** Much longer than it takes to send what is sent together. */
const TRIP_MS = 100;

describe('round trips to the database', () => {
  const tenantId = randomUUID();
  let world: FaultyDatabase;
  let db: TenantDb;

  beforeAll(async () => {
    world = await faultyDatabase();
    await world.owner.query('create table note (id int primary key)');
    db = new TenantDb(world.source, 5_000, world.policy);
    db.onBeforeCommit(() => ({ sql: 'insert into note (id) values ($1)', parameters: [Date.now() % 1e9] }));
    await read();
  }, 60_000);
  afterAll(() => world.close());
  beforeEach(() => world.owner.query('truncate thing, note'));
  afterEach(() => world.proxy.heal());

  const read = () => asRequest(() => db.read(tenantId, (tx) => tx.query('select count(*) from thing')));
  const put = (tx: EntityManager, id: number) => tx.query('insert into thing (id) values ($1)', [id]);
  const insertion = (id: number) => ({
    sql: 'insert into thing (id) values ($1) returning id',
    parameters: [id],
  });
  const count = async (table: string) =>
    Number((await world.owner.query<{ n: string }>(`select count(*) as n from ${table}`)).rows[0]!.n);

  /** How often all was answered that had been sent, until the work had what it wanted. */
  async function tripsOf(work: () => Promise<unknown>): Promise<number> {
    await world.proxy.inject({ toServer: { latencyMs: TRIP_MS } });
    let trips = 0;
    let unanswered = 0;
    const { master: pool } = world.source.driver as unknown as { master: pg.Pool };
    const watch = (client: pg.PoolClient) => {
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
      const watched = (...args: unknown[]) => {
        unanswered += 1;
        return query(...args).finally(() => {
          unanswered -= 1;
          if (unanswered === 0) trips += 1;
        });
      };
      Object.assign(client, { query: watched });
    };
    pool.once('acquire', watch);
    await asRequest(work);
    return trips;
  }

  it('are one for a read of one statement, and for several that are sent together', async () => {
    expect(await tripsOf(read)).toBe(1);
    const both = (tx: EntityManager) => Promise.all([tx.query('select 1'), tx.query('select 2')]);
    expect(await tripsOf(() => db.read(tenantId, both))).toBe(1);
  });

  it('are two for a change of one statement: with its begin, and its record with the commit', async () => {
    expect(await tripsOf(() => db.change(tenantId, (tx) => put(tx, 1)))).toBe(2);
    expect([await count('thing'), await count('note')]).toEqual([1, 1]);
  });

  it('are two for a change of several requests, with all of their records and the commit', async () => {
    const together = (all: readonly object[]) => ({
      sql: 'insert into note (id) select generate_series(1, $1::int)',
      parameters: [all.length],
    });
    const record = { sql: 'select', together };
    const change = () => db.changeTogether(tenantId, async (tx) => (await put(tx, 1), [record, record]));
    expect(await tripsOf(change)).toBe(2);
    expect([await count('thing'), await count('note')]).toEqual([1, 2]);
  });

  it('are one for statements that are known from the start, begin, record and commit included', async () => {
    const change = () => db.changeStatements(tenantId, [insertion(1), insertion(2)]);
    expect(await tripsOf(change)).toBe(1);
    expect([await count('thing'), await count('note')]).toEqual([2, 1]);
  });
});

describe('statements that are sent together', () => {
  const tenantId = randomUUID();
  let world: FaultyDatabase;
  beforeAll(async () => {
    world = await faultyDatabase();
  }, 60_000);
  afterAll(() => world.close());
  beforeEach(() => world.owner.query('truncate thing'));

  const insertion = (id: number) => ({
    sql: 'insert into thing (id) values ($1) returning id',
    parameters: [id],
  });
  const ids = async () =>
    (await world.owner.query<{ id: number }>('select id from thing order by id')).rows.map(({ id }) => id);
  const run = (...numbers: number[]) =>
    asRequest(() => world.db.runStatements(tenantId, numbers.map(insertion)));

  it('give the rows of each', async () => {
    expect(await run(1, 2)).toEqual([[{ id: 1 }], [{ id: 2 }]]);
    expect(await ids()).toEqual([1, 2]);
  });

  it('are done all or none, and fail with the first failure', async () => {
    await expect(run(1, 1, 2)).rejects.toMatchObject({ code: '23505' });
    expect(await ids()).toEqual([]);
    expect(await run(3)).toEqual([[{ id: 3 }]]);
  });

  it('fail as the statement says that failed', async () => {
    const refused = (error: unknown) => new Error('no room for it', { cause: error });
    const twice = () => world.db.runStatements(tenantId, [insertion(1), { ...insertion(1), refused }]);
    await expect(asRequest(twice)).rejects.toThrow('no room for it');
    expect(await ids()).toEqual([]);
  });

  it('are run again when they were in another transaction’s way', async () => {
    await world.owner.query(`
      create sequence attempt;
      create function collide() returns trigger language plpgsql as $$ begin
        if nextval('attempt') < 3 then raise exception 'again' using errcode = '40001'; end if;
        return new;
      end $$;
      create trigger collide before insert on thing for each row execute function collide()`);
    try {
      expect(await run(7)).toEqual([[{ id: 7 }]]);
      expect(await ids()).toEqual([7]);
    } finally {
      await world.owner.query(
        'drop trigger collide on thing; drop function collide(); drop sequence attempt',
      );
    }
  });

  it('tell their record that it is committed, and only then', async () => {
    const told: string[] = [];
    const db = new TenantDb(world.source, 5_000, world.policy);
    db.onBeforeCommit(() => ({ ...insertion(100), committed: () => void told.push('committed') }));
    await expect(asRequest(() => db.changeStatements(tenantId, [insertion(100)]))).rejects.toMatchObject({
      code: '23505',
    });
    expect([told, await ids()]).toEqual([[], []]);
    await asRequest(() => db.changeStatements(tenantId, [insertion(1)]));
    expect([told, await ids()]).toEqual([['committed'], [1, 100]]);
  });
});
