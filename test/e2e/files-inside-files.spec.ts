import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as XLSX from '@e965/xlsx';
import officeCrypto from 'officecrypto-tool';
import { EICAR, FakeClamd } from '../support/fake-clamd.js';
import { testApp, type TestApp } from '../support/test-app.js';
import { zipFile } from '../support/zip-file.js';

interface DocumentBody {
  id: string;
  title: string;
  filename: string;
  status: string;
  parent_id: string | null;
  collection: string | null;
  tags: string[];
  visibility: string;
  reason: { code: string } | null;
  generation: number | null;
  assessment: { warnings: string[]; needs_password: boolean } | null;
}

let app: TestApp;
afterEach(() => app.close());

async function upload(name: string, content: string | Buffer, fields: Record<string, string> = {}) {
  const form = new FormData();
  form.append('file', new File([content as string], name));
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as DocumentBody,
  };
}

/** Reads the document's events to their end: the stream itself says when there is nothing more to wait for. */
async function settled(id: string): Promise<DocumentBody> {
  await (await app.fetch(`/v1/documents/${id}/events`, { headers: app.admin })).text();
  return get(`/${id}`);
}

async function get<T = DocumentBody>(path: string): Promise<T> {
  return (await (await app.fetch(`/v1/documents${path}`, { headers: app.admin })).json()) as T;
}

async function list(query = ''): Promise<DocumentBody[]> {
  return (await get<{ items: DocumentBody[] }>(query)).items;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const remove = (id: string) => app.fetch(`/v1/documents/${id}`, { method: 'DELETE', headers: app.admin });
const namesOf = (documents: readonly DocumentBody[]) => documents.map(({ filename }) => filename).sort();

/** A mail with these files. Its subject, a word, also parts it. */
function mail(subject: string, files: Record<string, string | Buffer>): string {
  const parts = Object.entries(files).flatMap(([name, content]) => [
    `--${subject}`,
    `Content-Type: ${name.endsWith('.eml') ? 'message/rfc822' : 'application/octet-stream'}`,
    `Content-Disposition: attachment; filename="${name}"`,
    ...(name.endsWith('.eml')
      ? ['', String(content)]
      : ['Content-Transfer-Encoding: base64', '', Buffer.from(content as string).toString('base64')]),
  ]);
  return [
    `Subject: ${subject}`,
    'From: ann@example.com',
    `Content-Type: multipart/mixed; boundary=${subject}`,
    '',
    `--${subject}`,
    'Content-Type: text/plain',
    '',
    `About ${subject}.`,
    ...parts,
    `--${subject}--`,
  ].join('\r\n');
}

const BILL = 'The bill of the hospital is $1,500.';
const LETTER = 'The claim was denied because no authorization was requested.';

describe('files that come inside others', () => {
  beforeEach(async () => {
    app = await testApp();
  });

  it('become documents of their own, which inherit and go with what they came in', async () => {
    const inner = mail('Inner', { 'letter.txt': LETTER });
    const outer = mail('Outer', {
      'bill.txt': BILL,
      'copy-of-bill.txt': BILL,
      'inner.eml': inner,
      'tool.exe': Buffer.from('MZ\u0000\u0000'),
      'more.zip': zipFile({ 'folder/notes.md': '# Notes\n\nCall on Monday.' }),
    });
    const { body: parent } = await upload('outer.eml', outer, {
      collection: 'claims',
      tags: 'x-ray, 2026',
      visibility: 'tenant',
    });
    expect(await settled(parent.id)).toMatchObject({
      status: 'ready',
      parent_id: null,
      assessment: { warnings: ['attachment-skipped'] },
    });
    const children = await list(`?parent_id=${parent.id}`);
    expect(namesOf(children)).toEqual(['bill.txt', 'inner.eml', 'notes.md']);
    const inherited = {
      parent_id: parent.id,
      collection: 'claims',
      tags: ['x-ray', '2026'],
      visibility: 'tenant',
    };
    for (const child of children) {
      expect(child).toMatchObject(inherited);
      expect(await settled(child.id)).toMatchObject({ status: 'ready' });
    }
    const nested = children.find(({ filename }) => filename === 'inner.eml')!;
    expect(await list(`?parent_id=${nested.id}`)).toMatchObject([
      { filename: 'letter.txt', collection: 'claims', parent_id: nested.id },
    ]);

    expect((await remove(parent.id)).status).toBe(204);
    expect(await list()).toEqual([]);
    expect(await readdir(join(app.dataDir, 'blobs', 'incoming'))).toEqual([]);
  }, 120_000);

  it('are no second document of what the person has, and stay while something else needs them', async () => {
    const { body: own } = await upload('my-bill.txt', BILL, { collection: 'mine' });
    const { body: first } = await upload(
      'first.eml',
      mail('First', { 'bill.txt': BILL, 'letter.txt': LETTER }),
    );
    await settled(first.id);
    const { body: second } = await upload('second.eml', mail('Second', { 'letter.txt': LETTER }));
    await settled(second.id);
    expect(namesOf(await list())).toEqual(['first.eml', 'letter.txt', 'my-bill.txt', 'second.eml']);
    expect(namesOf(await list(`?parent_id=${first.id}`))).toEqual(['letter.txt', 'my-bill.txt']);
    expect(await get(`/${own.id}`)).toMatchObject({ parent_id: null, collection: 'mine' });

    await remove(first.id);
    const [letter] = await list(`?parent_id=${second.id}`);
    expect(letter).toMatchObject({ filename: 'letter.txt', parent_id: second.id });
    expect(await get(`/${own.id}`)).toMatchObject({ filename: 'my-bill.txt' });

    // Uploaded by itself, it is there in its own right.
    expect((await upload('letter.txt', LETTER)).body).toMatchObject({ id: letter!.id, parent_id: null });
    await remove(second.id);
    expect(namesOf(await list())).toEqual(['letter.txt', 'my-bill.txt']);
  }, 120_000);

  it('end at the third mail in a mail', async () => {
    let nested = mail('Level4', { 'letter.txt': LETTER });
    for (const level of [3, 2, 1, 0]) nested = mail(`Level${level}`, { [`level${level + 1}.eml`]: nested });
    const { body } = await upload('level0.eml', nested);
    let id: string | undefined = body.id;
    const names: string[] = [];
    let last: DocumentBody | undefined;
    while (id) {
      last = await settled(id);
      names.push(last.filename);
      id = (await list(`?parent_id=${id}`))[0]?.id;
    }
    expect(names).toEqual(['level0.eml', 'level1.eml', 'level2.eml', 'level3.eml']);
    expect(last!.assessment!.warnings).toEqual(['attachment-skipped']);
  }, 120_000);
});

describe('a protected file', () => {
  const PASSWORD = ' open sésame ';
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(
    book,
    XLSX.utils.aoa_to_sheet([
      ['Service', 'Copay'],
      ['Visit', '$30'],
    ]),
    'Costs',
  );
  const plain = XLSX.write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer;
  const sealed = officeCrypto.encrypt(plain, { password: PASSWORD });

  const retry = (id: string, password: string, fromStage?: string) =>
    app.fetch(`/v1/documents/${id}/retry`, {
      json: { password, from_stage: fromStage },
      headers: { ...app.admin, 'idempotency-key': randomUUID() },
    });
  const passwords = async () =>
    (await app.db.owner.query<{ sealed: Buffer }>('select sealed from document_password')).rows;

  beforeEach(async () => {
    app = await testApp();
  });

  it('asks for its password, is opened with the right one, and forgets it', async () => {
    const { body } = await upload('costs.xlsx', sealed);
    expect(await settled(body.id)).toMatchObject({
      status: 'failed',
      reason: { code: 'password-protected' },
    });
    expect((await retry(body.id, 'guess')).status).toBe(202);
    expect(await settled(body.id)).toMatchObject({ status: 'failed', reason: { code: 'wrong-password' } });
    const request = `POST /v1/documents/${body.id}/retry\n{"password":"guess"}`;
    const { rows } = await app.db.owner.query<{ fingerprint: Buffer }>(
      'select fingerprint from idempotent_request',
    );
    expect(rows.map(({ fingerprint }) => fingerprint.toString('hex'))).toEqual([
      expect.not.stringContaining(sha256(request)),
    ]);
    const [kept] = await passwords();
    expect(kept!.sealed.toString('latin1')).not.toContain('guess');
    // The same file again, now with its password.
    expect((await upload('costs.xlsx', sealed, { password: PASSWORD })).status).toBe(202);
    expect(await settled(body.id)).toMatchObject({ status: 'ready', reason: null });
    expect(await passwords()).toEqual([]);
    const passages = await get<{ items: { text: string }[] }>(`/${body.id}/passages`);
    expect(JSON.stringify(passages.items)).toContain('$30');
    const audit = await (await app.fetch('/v1/audit/events?limit=100', { headers: app.admin })).text();
    expect(audit).not.toMatch(/guess|sésame/);
  }, 120_000);

  it('is ready at once when the upload brings its password', async () => {
    const { body } = await upload('costs.xlsx', sealed, { password: PASSWORD });
    expect(await settled(body.id)).toMatchObject({ status: 'ready', assessment: { needs_password: true } });
  }, 120_000);

  it('asks for its password again before it is read anew, and is found as before until then', async () => {
    const { body } = await upload('costs.xlsx', sealed, { password: PASSWORD });
    await settled(body.id);
    const json = { from_stage: 'extract' };
    const refused = await app.fetch(`/v1/documents/${body.id}/retry`, { json, headers: app.admin });
    expect([refused.status, await refused.json()]).toEqual([
      422,
      expect.objectContaining({ code: 'password-needed' }),
    ]);
    expect(await settled(body.id)).toMatchObject({ status: 'ready', generation: 1 });
    expect((await retry(body.id, 'guess', 'extract')).status).toBe(202);
    expect(await settled(body.id)).toMatchObject({ status: 'failed', generation: 1 });
    expect((await retry(body.id, PASSWORD, 'extract')).status).toBe(202);
    expect(await settled(body.id)).toMatchObject({ status: 'ready', generation: 2 });
    expect(await passwords()).toEqual([]);
  }, 120_000);
});

describe('a malware scanner', () => {
  let clamd: FakeClamd;
  beforeEach(async () => {
    clamd = await FakeClamd.start();
    app = await testApp({ CLAMD_HOST: '127.0.0.1', CLAMD_PORT: String(clamd.port) });
  });
  afterEach(() => clamd.stop());

  it('sees every file before it is kept, and those inside it', async () => {
    const { body } = await upload(
      'mail.eml',
      mail('Mail', { 'bill.txt': BILL, 'bad.txt': EICAR.replace('!$H+H*', 'x') }),
    );
    expect(await settled(body.id)).toMatchObject({ status: 'ready' });
    expect(clamd.scanned).toHaveLength(3);
    const found = await upload('bad.txt', EICAR);
    expect(found).toMatchObject({ status: 422, body: { code: 'malware-found' } });
    // A mail whose files are not seen through its encoding: the file inside is found by itself.
    const { body: parent } = await upload('bad.eml', mail('Bad', { 'bad.txt': EICAR, 'bill.txt': BILL }));
    expect(await settled(parent.id)).toMatchObject({ assessment: { warnings: ['attachment-skipped'] } });
    expect(namesOf(await list(`?parent_id=${parent.id}`))).toEqual(['bill.txt']);
    const audit = await (await app.fetch('/v1/audit/events?limit=100', { headers: app.admin })).json();
    expect((audit as { items: unknown[] }).items).toContainEqual(
      expect.objectContaining({ action: 'document.upload', reason: 'malware-found' }),
    );
  }, 120_000);

  it('lets nothing in while it is away, and says when to try again', async () => {
    await clamd.stop();
    const refused = await upload('bill.txt', BILL);
    expect(refused).toMatchObject({ status: 503, body: { code: 'scanner-unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await list()).toEqual([]);
    expect(await readdir(join(app.dataDir, 'blobs', 'incoming'))).toEqual([]);
  });

  it('refuses what is too large for it', async () => {
    clamd.maxBytes = 10;
    expect(await upload('bill.txt', BILL)).toMatchObject({
      status: 413,
      body: { code: 'document-not-scannable' },
    });
  });
});
