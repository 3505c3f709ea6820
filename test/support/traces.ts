import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningApp } from './test-app.js';

/**
 * Where any of these words stands: every column of every table, as text and as bytes, by table, and every file of the data
 * folder, by its path. In any case of letters.
 */
export async function tracesOf(
  app: Pick<RunningApp, 'db' | 'dataDir'>,
  words: readonly string[],
): Promise<string[]> {
  const tables = await app.db.owner.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  );
  const found: string[] = [];
  const hex = words.map((word) => Buffer.from(word).toString('hex'));
  for (const { name } of tables.rows) {
    // A row as text holds all its columns; those of bytes are in hexadecimal.
    const { rowCount } = await app.db.owner.query(
      `select from "${name}" t where exists (
         select from unnest($1::text[]) word where position(lower(word) in lower(t::text)) > 0) limit 1`,
      [[...words, ...hex]],
    );
    if (rowCount) found.push(name);
  }
  const files = await readdir(app.dataDir, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    const content = `${path}\n${(await readFile(path)).toString('latin1')}`.toLowerCase();
    if (words.some((word) => content.includes(word.toLowerCase())))
      found.push(path.slice(app.dataDir.length + 1));
  }
  return found;
}
