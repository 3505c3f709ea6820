import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTemporaryFolder, openLastingFolder } from './data-folder.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'demo-folder-spec-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('makeTemporaryFolder', () => {
  it('makes a folder of its own and removes it with everything in it', async () => {
    const folder = await makeTemporaryFolder(parent);
    await writeFile(join(folder.path, 'file'), 'x');
    expect(folder.temporary).toBe(true);
    await folder.remove();
    expect(await readdir(parent)).toEqual([]);
  });

  it('makes another password each time', async () => {
    const [a, b] = [await makeTemporaryFolder(parent), await makeTemporaryFolder(parent)];
    expect(a.credentials.password).not.toBe(b.credentials.password);
    await Promise.all([a.remove(), b.remove()]);
  });
});

describe('openLastingFolder', () => {
  const open = () => openLastingFolder({ DATA_DIR: join(parent, 'data') });

  it('keeps its credentials for the next time, readable by the owner only', async () => {
    const first = await open();
    const second = await open();
    expect(second.credentials).toEqual(first.credentials);
    const { mode } = await stat(join(parent, 'data', 'demo-credentials.json'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('is left as it is at the end', async () => {
    const folder = await open();
    await folder.remove();
    expect(existsSync(folder.path)).toBe(true);
  });

  it('makes new credentials when the kept ones were of no use', async () => {
    const first = await open();
    await first.discardCredentials();
    expect((await open()).credentials.password).not.toBe(first.credentials.password);
  });

  it('uses the administrator of the environment and keeps nothing', async () => {
    const environment = {
      DATA_DIR: join(parent, 'data'),
      BOOTSTRAP_ADMIN_EMAIL: 'me@example.com',
      BOOTSTRAP_ADMIN_PASSWORD: 'a long password',
    };
    const folder = await openLastingFolder(environment);
    expect(folder.credentials).toEqual({ email: 'me@example.com', password: 'a long password' });
    expect(await readdir(parent)).toEqual([]);
  });
});
