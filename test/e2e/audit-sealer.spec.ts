import { until } from '../support/faulty-database.js';
import { testApp, type TestApp } from '../support/test-app.js';

describe('the sealer of a program', () => {
  let app: TestApp;
  afterEach(() => app?.close());

  const loginOf = ({ db }: TestApp) => `${new URL(db.url).pathname.slice(1)}_sealing`;
  const connections = async () => {
    const sql = 'select from pg_stat_activity where usename = $1';
    return (await app.db.owner.query(sql, [loginOf(app)])).rows.length;
  };
  const makeKey = () => app.fetch('/v1/api-keys', { headers: app.admin, json: { name: 'sealed' } });
  const isSealed = async () => {
    const { rows } = await app.db.owner.query(
      `select from audit_event e where not exists (
         select from audit_leaf l where l.tenant_id = e.tenant_id and l.event_id = e.id)`,
    );
    return rows.length === 0;
  };
  const lagSeconds = async () => {
    const metrics = await (await app.fetch('/metrics', { headers: app.admin })).text();
    return Number(/^navigator_audit_seal_lag_seconds (\S+)$/m.exec(metrics)![1]);
  };

  it('works over two connections of its own, without which everything else goes on', async () => {
    app = await testApp();
    await until(isSealed);
    await until(async () => (await connections()) === 2);

    await app.db.owner.query(`alter role ${loginOf(app)} nologin`);
    await app.db.owner.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      loginOf(app),
    ]);
    expect((await makeKey()).status).toBe(201);
    await until(async () => (await lagSeconds()) > 1);
    expect((await makeKey()).status).toBe(201);
    expect((await app.fetch('/health/ready')).status).toBe(200);
    expect(await isSealed()).toBe(false);

    await app.db.owner.query(`alter role ${loginOf(app)} login`);
    await until(isSealed);
    await until(async () => (await lagSeconds()) === 0);
  });

  it('has no connection in a process that does not seal', async () => {
    app = await testApp({ AUDIT_SEALER: 'off' });
    expect((await makeKey()).status).toBe(201);
    expect(await connections()).toBe(0);
    const { rows } = await app.db.owner.query('select from pg_roles where rolname = $1', [loginOf(app)]);
    expect(rows).toEqual([]);
  });
});
