import { readFile } from 'node:fs/promises';
import { settingsOf } from '#libs/config';
import { sections } from './app.config.js';
import { settingsFile, withSettingsTable } from './settings.js';

describe('the settings', () => {
  it('are in .env.example as the code declares them (write it with `npm run settings`)', async () => {
    await expect(readFile('.env.example', 'utf8')).resolves.toBe(settingsFile());
  });

  it('are in the README as the code declares them (write it with `npm run settings`)', async () => {
    const readme = await readFile('README.md', 'utf8');
    expect(withSettingsTable(readme)).toBe(readme);
  });

  it('all have a description and a name of their own', () => {
    const settings = settingsOf(sections);
    expect(settings.filter((setting) => setting.description.length < 10)).toEqual([]);
    expect(new Set(settings.map((setting) => setting.variable)).size).toBe(settings.length);
  });
});
