import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

describe('what npm start builds', () => {
  let folder: string;
  let files: string[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'product-'));
    await promisify(execFile)('npm', ['run', '--silent', 'build:product', '--', '-d', folder]);
    files = globSync('**/*.js', { cwd: folder });
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is the product, without tests, benchmarks, faults for them and the demonstration', () => {
    expect(files).toEqual(expect.arrayContaining(['apps/api/src/main.js', 'migrations/index.js']));
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(new Set(['apps', 'libs', 'migrations']));
    expect(files.filter((file) => /\.spec\.js$|(^|\/)spec-/.test(file))).toEqual([]);
  });

  it('lacks nothing that it asks for', () => {
    const missing = files.flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)]
        .map(([, path]) => join(dirname(file), path!))
        .filter((path) => !existsSync(join(folder, path)))
        .map((path) => `${file} asks for ${path}`),
    );
    expect(missing).toEqual([]);
  });
});
