import { createServer } from 'node:net';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedServers, isRoot, query, type Server, until } from '../support/embedded-servers.js';

const itAsUser = isRoot ? it.skip : it;

describe('the embedded PostgreSQL', () => {
  const { lines, start, emptyFolder, usedFolder, copyOfUsedFolder } = embeddedServers();

  describe('at its first start', () => {
    it('makes the database with checksums and a collation that is the same on every machine', async () => {
      const server = await start(await emptyFolder());

      expect(await query(server, 'show data_checksums')).toEqual([{ data_checksums: 'on' }]);
      const properties = `select datname, datlocprovider, datlocale, pg_encoding_to_char(encoding) as encoding
                          from pg_database where datname = current_database()`;
      expect(await query(server, properties)).toEqual([
        { datname: 'navigator', datlocprovider: 'b', datlocale: 'C.UTF-8', encoding: 'UTF8' },
      ]);
    });

    it('lets nobody in without the generated password, which only the owner of the folder can read', async () => {
      const folder = await emptyFolder();
      const server = await start(folder);

      const { mode } = await stat(join(folder, 'postgres.password'));
      const password = (await readFile(join(folder, 'postgres.password'), 'utf8')).trim();
      expect(mode & 0o777).toBe(0o600);
      expect(Buffer.from(password, 'base64url')).toHaveLength(32);
      expect(new URL(server.url).password).toBe(password);
      expect(lines().join('\n')).not.toContain(password);
      const guessed = { ...server, url: server.url.replace(password, 'guessed') };
      await expect(query(guessed, 'select 1')).rejects.toMatchObject({ code: '28P01' });
      const methods = await query(server, 'select distinct auth_method from pg_hba_file_rules');
      expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);
    });

    it('listens on 127.0.0.1 only', async () => {
      const server = await start(usedFolder());

      const addresses = `select name, setting from pg_settings
                         where name in ('listen_addresses', 'unix_socket_directories') order by name`;
      expect(await query(server, addresses)).toEqual([
        { name: 'listen_addresses', setting: '127.0.0.1' },
        { name: 'unix_socket_directories', setting: '' },
      ]);
      const elsewhere = createServer().listen(server.port, '127.0.0.2');
      await once(elsewhere, 'listening');
      elsewhere.close();
    });
  });

  describe('at a later start', () => {
    it('has the same data and the same password', async () => {
      const folder = await copyOfUsedFolder();
      const first = await start(folder);
      await query(first, "create table note as select 'kept' as text");
      await first.stop();

      const second = await start(folder);

      expect(await query(second, 'select text from note')).toEqual([{ text: 'kept' }]);
      expect(new URL(second.url).password).toBe(new URL(first.url).password);
    });

    it('makes the database where an earlier start was killed before it could', async () => {
      const folder = await copyOfUsedFolder();
      const first = await start(folder);
      await query(databaseOf(first, 'postgres'), 'drop database navigator');
      await first.stop();

      const second = await start(folder);

      expect(await query(second, 'select current_database() as name')).toEqual([{ name: 'navigator' }]);
    });

    it('takes over a restored backup that others may read', async () => {
      const folder = await copyOfUsedFolder();
      await chmod(join(folder, 'pgdata'), 0o755);

      await start(folder);

      expect((await stat(join(folder, 'pgdata'))).mode & 0o777).toBe(0o700);
    });

    it('refuses a database of another major version, naming both', async () => {
      const folder = await copyOfUsedFolder();
      await writeFile(join(folder, 'pgdata', 'PG_VERSION'), '17\n');

      await expect(start(folder)).rejects.toMatchObject({
        code: 'incompatible-data',
        message: expect.stringMatching(/PostgreSQL 17.*PostgreSQL 18/),
      });
    });

    it('says which file is missing when the database has lost its password', async () => {
      const folder = await copyOfUsedFolder();
      await rm(join(folder, 'postgres.password'));

      await expect(start(folder)).rejects.toMatchObject({
        code: 'password-missing',
        message: expect.stringContaining(join(folder, 'postgres.password')),
      });
    });

    it("hands on PostgreSQL's own words when it refuses a setting, and leaves the folder free", async () => {
      await expect(start(usedFolder(), { settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
        code: 'start-failed',
        message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
      });

      await expect(start(usedFolder())).resolves.toBeDefined();
    });
  });

  it('gives up a start that takes too long, and leaves neither a server nor a lock', async () => {
    await expect(start(usedFolder(), { startTimeoutMs: 1 })).rejects.toMatchObject({
      code: 'start-failed',
      message: expect.stringContaining('did not start in time'),
    });
    expect((await readdir(usedFolder())).sort()).toEqual(['pgdata', 'postgres.password']);
    expect(await readdir(join(usedFolder(), 'pgdata'))).not.toContain('postmaster.pid');
  });

  describe('on a port', () => {
    it('that was asked for takes connections there', async () => {
      const port = await freePort();

      const server = await start(usedFolder(), { port });

      expect(server.port).toBe(port);
      expect(await query(server, 'show port')).toEqual([{ port: String(port) }]);
    });

    it('that belongs to another program says so, naming it, and leaves the folder free', async () => {
      const stranger = createServer().listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const { port } = stranger.address() as { port: number };

      await expect(start(usedFolder(), { port })).rejects.toMatchObject({
        code: 'port-taken',
        message: expect.stringContaining(String(port)),
      });
      stranger.close();

      await expect(start(usedFolder())).resolves.toBeDefined();
    });
  });

  describe('in a folder that cannot be written', () => {
    it('names the folder when a file is in its way', async () => {
      const file = join(await emptyFolder(), 'file');
      await writeFile(file, '');

      await expect(start(join(file, 'data'))).rejects.toMatchObject({
        code: 'folder-not-writable',
        message: expect.stringContaining(join(file, 'data')),
      });
    });

    itAsUser('names the folder when it belongs to somebody else', async () => {
      const folder = await emptyFolder();
      await chmod(folder, 0o500);

      await expect(start(folder)).rejects.toMatchObject({
        code: 'folder-not-writable',
        message: expect.stringContaining(folder),
      });
    });
  });

  describe('when it ends', () => {
    it('closes all connections, is gone, and may be stopped again', async () => {
      const server = await start(usedFolder());
      const sleeping = query(server, 'select pg_sleep(600)').catch((error: Error) => error.message);
      await sleepingBackend(server);

      await Promise.all([server.stop(), server.stop()]);
      await server.stop();

      expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
      expect(await sleeping).toMatch(/terminat/i);
      expect(lines()).toContain('LOG:  database system is shut down');
      expect((await readdir(usedFolder())).sort()).toEqual(['pgdata', 'postgres.password']);
    });

    it('by itself tells the program, which may start it again', async () => {
      const { promise: exit, resolve: onExit } = Promise.withResolvers<unknown>();
      const server = await start(usedFolder(), { onExit });

      process.kill(server.pid, 'SIGKILL');

      expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
      expect(lines()).toContain('The database server ended by itself (SIGKILL).');
      await expect(start(usedFolder())).resolves.toBeDefined();
    });

    it('because it was told to does not alarm the program', async () => {
      const exits: unknown[] = [];
      const server = await start(usedFolder(), { onExit: (exit) => exits.push(exit) });

      await server.stop();

      expect(exits).toEqual([]);
    });
  });

  it('logs neither statements nor values, whatever goes wrong', async () => {
    const server = await start(usedFolder());
    await query(
      server,
      "create table policy (holder text unique); insert into policy values ('Erika Mustermann')",
    );

    await query(server, "select 'Erika Mustermann'::int").catch(() => undefined);
    await query(server, "insert into policy values ('Erika Mustermann')").catch(() => undefined);
    const crashed = query(server, "select pg_sleep(600), 'Erika Mustermann'").catch(() => 'crashed');
    process.kill(await sleepingBackend(server), 'SIGKILL');
    expect(await crashed).toBe('crashed');
    await until(() => query(server, 'select 1').then(Boolean, () => false));
    await server.stop();

    expect(lines()).toContainEqual(expect.stringContaining('terminated by signal 9'));
    expect(lines().join('\n')).not.toMatch(/Mustermann|select|insert/i);
  });
});

/** The pid of the server process that a statement keeps busy, as soon as it does. */
async function sleepingBackend(server: Server): Promise<number> {
  const sql = "select pid from pg_stat_activity where query like 'select pg_sleep%'";
  await until(async () => (await query(server, sql)).length > 0);
  return (await query(server, sql))[0]!.pid as number;
}

function databaseOf({ url }: Server, name: string): Server {
  return { url: Object.assign(new URL(url), { pathname: `/${name}` }).href };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
