import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

describe('the documentation', () => {
  const files = ['README.md', ...globSync('docs/*.md'), ...globSync('libs/*/README.md')];
  const scripts = async () =>
    Object.keys((JSON.parse(await readFile('package.json', 'utf8')) as { scripts: object }).scripts);

  it.each(files)('%s names only tests, files and folders that exist', async (file) => {
    const text = await readFile(file, 'utf8');
    const paths = [...text.matchAll(/`((?:apps|libs|test|docs|demo|bench|migrations)\/[^\s`]+)`/g)].map(
      ([, path]) => path!,
    );
    expect(paths.filter((path) => globSync(path).length === 0)).toEqual([]);
  });

  it.each(files)('%s names only commands that exist', async (file) => {
    const text = await readFile(file, 'utf8');
    const named = [...text.matchAll(/`npm run ([a-z:-]+)/g)].map(([, name]) => name!);
    const known = await scripts();
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});
