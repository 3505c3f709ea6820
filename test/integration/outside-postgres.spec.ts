import {
  connectDatabase,
  connectSealer,
  DatabaseTooOld,
  InsufficientDatabaseRights,
  withClient,
} from '#libs/database';
import { migrations } from '#migrations';
import { debianPostgresInstalled, startDebianPostgres } from '../support/debian-postgres.js';

const config = { poolMax: 2, statementTimeoutMs: 1_000 };
const whereInstalled = debianPostgresInstalled ? describe : describe.skip; // Debian package postgresql-15

whereInstalled('a PostgreSQL 15 given by DATABASE_URL', () => {
  let server: Awaited<ReturnType<typeof startDebianPostgres>>;
  beforeAll(async () => {
    server = await startDebianPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  const database = async (name: string) => {
    await withClient(server.url, (owner) => owner.query(`create database ${name}`));
    return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  };

  it('gets the same migrations, and an application role that row-level security binds', async () => {
    const { source, migrated, appUrl } = await connectDatabase(await database('fresh'), config, migrations);
    try {
      expect(migrated).toHaveLength(migrations.length);
      expect(new URL(appUrl).username).toBe('fresh_login');
      await expect(source.query('select current_user as name')).resolves.toEqual([{ name: 'fresh_login' }]);
    } finally {
      await source.destroy();
    }
  });

  it('gets both roles of the program from an owner who may make roles and is no superuser', async () => {
    const url = await database('navigator');
    await withClient(url, async (owner) => {
      await owner.query(`create role maker login createrole password 'maker'`);
      await owner.query('alter database navigator owner to maker; alter schema public owner to maker');
    });
    const ownerUrl = Object.assign(new URL(url), { username: 'maker', password: 'maker' }).href;
    const { source } = await connectDatabase(ownerUrl, config, migrations);
    const sealer = await connectSealer(ownerUrl, {});
    const seal = `update audit_seal_state set restored = false`;
    try {
      await expect(source.query(seal)).rejects.toMatchObject({ code: '42501' });
      await expect(sealer.query(seal)).resolves.toBeDefined();
      await expect(sealer.query('select current_user as name')).resolves.toEqual([
        { name: 'navigator_sealing' },
      ]);
    } finally {
      await source.destroy();
      await sealer.destroy();
    }
  });

  it('is connected to again without migrating twice', async () => {
    const url = await database('again');
    for (const expected of [migrations.length, 0]) {
      const { source, migrated } = await connectDatabase(url, config, migrations);
      await source.destroy();
      expect(migrated).toHaveLength(expected);
    }
  });

  it('is refused with a clear message when it says that it is too old', async () => {
    const url = await database('old');
    await withClient(url, async (owner) => {
      await owner.query(`create function public.current_setting(text) returns text language sql
        return case $1 when 'server_version_num' then '140013' else '14.13' end`);
      await owner.query('alter database old set search_path = public, pg_catalog');
    });
    const connected = connectDatabase(url, config, migrations);
    await expect(connected).rejects.toThrow(DatabaseTooOld);
    await expect(connected).rejects.toThrow('PostgreSQL 14.13; PostgreSQL 15 or newer is needed');
  });

  it('says what to do when its user may not make the application role', async () => {
    const url = await database('weak');
    await withClient(url, async (owner) => {
      await owner.query(`create role weak login password 'weak'`);
      await owner.query('alter database weak owner to weak; alter schema public owner to weak');
    });
    const weak = Object.assign(new URL(url), { username: 'weak', password: 'weak' }).href;
    const connected = connectDatabase(weak, config, migrations);
    await expect(connected).rejects.toThrow(InsufficientDatabaseRights);
    await expect(connected).rejects.toThrow(/DATABASE_APP_URL/);
    await expect(connectSealer(weak, {})).rejects.toThrow(/"navigator_sealer".*DATABASE_SEALER_URL/);
  });
});
