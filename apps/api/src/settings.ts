import { readFile, writeFile } from 'node:fs/promises';
import { envExample, settingsOf } from '#libs/config';
import { sections } from './app.config.js';

const START = '<!-- settings -->';
const END = '<!-- /settings -->';

/** The table of all settings, as it stands in the README. */
export function settingsTable(): string {
  const rows = settingsOf(sections).map(
    ({ variable, description, initial }) =>
      `| \`${variable}\` | ${initial ? `\`${initial}\`` : ''} | ${description} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** `text` with the table between its two markers replaced. */
export function withSettingsTable(text: string): string {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`The README has no ${START} … ${END}`);
  return `${before}${START}\n${settingsTable()}\n${END}${after}`;
}

export const settingsFile = (): string => envExample(sections);

/** `npm run settings`: writes `.env.example` and the table in the README anew. */
if (import.meta.main) {
  await writeFile('.env.example', settingsFile());
  await writeFile('README.md', withSettingsTable(await readFile('README.md', 'utf8')));
}
