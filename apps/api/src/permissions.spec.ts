import { readFile } from 'node:fs/promises';
import { PERMISSIONS_FILE, permissionsPage } from './permissions.js';

describe('the page of permissions', () => {
  let page: string;
  beforeAll(async () => (page = await permissionsPage()), 60_000);

  it('is in docs/ as the routes declare it (write it with `npm run permissions`)', async () => {
    await expect(readFile(PERMISSIONS_FILE, 'utf8')).resolves.toBe(page);
  });

  it('says of a route who may use it, what is recorded, what it draws on and how important it is', () => {
    expect(page).toContain(
      '| `POST /v1/conversations/:id/questions` | Ask a question; the answer is quoted from your documents | ' +
        'member and above (`question.ask`) | `question.ask` | question | critical |',
    );
    expect(page).toMatch(
      /\| `POST \/v1\/auth\/login` \| .* \| everybody \| `auth\.login` \| auth \| critical/,
    );
    expect(page).toMatch(/\| `tenant\.manage` \| {2}\| {2}\| {2}\| ✓ \| \d+ \|/);
  });

  it('names no route without a summary, and no read without a record and without a reason', () => {
    const rows = page.split('\n').filter((line) => /^\| `(GET|POST|PUT|PATCH|DELETE) /.test(line));
    expect(rows.length).toBeGreaterThan(100);
    const cells = rows.map((row) => row.split(' | '));
    expect(cells.filter(([, text]) => text === '' || text === 'undefined')).toEqual([]);
  });
});
