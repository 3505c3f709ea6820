import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { OrphanSweep } from '../../../apps/api/src/ingestion/blobs/orphan-sweep.js';
import { UploadService } from '../../../apps/api/src/ingestion/uploads/upload.service.js';
import { UploadsController } from '../../../apps/api/src/ingestion/uploads/uploads.controller.js';
import type { DocumentBody } from '../../../apps/api/src/ingestion/documents/document.dto.js';
import type { Owner } from '../../support/documents.js';
import { ingestionApp, type IngestionApp } from '../../support/ingestion-app.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';

const MAX_BYTES = 1_048_576;
const TEXT = 'The deductible is $500 for each member.';
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

let db: TestDatabase;
let app: IngestionApp;
let owner: Owner;

beforeAll(async () => {
  db = await testDatabase();
  app = await ingestionApp(db, {
    controllers: [UploadsController],
    providers: [UploadService, OrphanSweep],
    maxBytes: MAX_BYTES,
  });
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.owner.query('delete from document');
  await app.app.get(OrphanSweep).sweep();
  owner = await db.createTenant();
});

type Form = [name: string, value: string | Blob, filename?: string][];

async function upload(form: Form, headers = app.as(owner)) {
  const body = new FormData();
  for (const [name, value, filename] of form)
    if (typeof value === 'string') body.append(name, value);
    else body.append(name, value, filename);
  const response = await fetch(`${app.url}/v1/documents`, { method: 'POST', body, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as DocumentBody,
  };
}

const file = (text: string | Uint8Array<ArrayBuffer> = TEXT, name = 'plan.txt'): Form[number] => [
  'file',
  new Blob([text]),
  name,
];
const count = async (table: string) => (await db.owner.query(`select from ${table}`)).rowCount;
const setStatus = (status: string, reason: string | null = null) =>
  db.owner.query(`update document set status = $1, reason_code = $2`, [status, reason]);

describe('an upload', () => {
  it('may bring a file without a name', async () => {
    expect(await upload([file(TEXT, '')])).toMatchObject({
      status: 202,
      body: { filename: 'document', title: 'document', media_type: 'text/plain' },
    });
  });

  it('is answered with the document, which is queued with its job and all its stages', async () => {
    const { status, headers, body } = await upload([
      ['title', 'My plan'],
      ['tags', 'health, 2026'],
      file(),
      ['collection', 'plans'],
    ]);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/documents/${body.id}`);
    expect(body).toMatchObject({
      title: 'My plan',
      filename: 'plan.txt',
      media_type: 'text/plain',
      size_bytes: TEXT.length,
      sha256: hashOf(TEXT),
      visibility: 'private',
      owner_id: owner.userId,
      collection: 'plans',
      tags: ['health', '2026'],
      status: 'queued',
      answerable: 'none',
      percent: 0,
      reason: null,
    });
    expect(
      body.stages.map((stage: { name: string; status: string }) => `${stage.name} ${stage.status}`),
    ).toEqual(
      ['receive', 'extract', 'structure', 'embed', 'assess', 'publish'].map((name) => `${name} pending`),
    );
    expect(await count('job')).toBe(1);
    expect(await app.filesLeft()).toEqual([hashOf(TEXT)]);
  });

  it('carries its correlation id to the job', async () => {
    await upload([file()], { ...app.as(owner), 'x-correlation-id': 'correlation-1' });
    expect((await db.owner.query('select correlation_id from job')).rows).toEqual([
      { correlation_id: 'correlation-1' },
    ]);
  });

  it('never lets a name become a path, and keeps it as data', async () => {
    const { body } = await upload([file(TEXT, '../../../etc/cron.d/\u202Efdp.txt')]);
    expect(body).toMatchObject({ filename: 'fdp.txt', title: 'fdp' });
    expect(await app.filesLeft()).toEqual([hashOf(TEXT)]);
  });

  it('may have any letters in its name', async () => {
    const { body } = await upload([file(TEXT, 'Übersicht – 保険.txt')]);
    expect(body.filename).toBe('Übersicht – 保険.txt');
  });
});

describe('the same file again', () => {
  it('is the same document, with the fields of the first upload', async () => {
    const first = await upload([file(), ['title', 'First']]);
    const again = await upload([file(TEXT, 'renamed.txt'), ['title', 'Second']]);
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ id: first.body.id, title: 'First', filename: 'plan.txt' });
    expect(await count('document')).toBe(1);

    await setStatus('ready');
    expect((await upload([file()])).status).toBe(200);
  });

  it('is the same document when it is sent twenty times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => upload([file()])));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect([await count('document'), await count('job'), await count('job_stage')]).toEqual([1, 1, 6]);
    expect(await app.filesLeft()).toEqual([hashOf(TEXT)]);
  });

  it('is another document for another person, on the same file', async () => {
    const colleague = { ...owner, userId: '11111111-1111-4111-8111-111111111111' };
    await db.owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
      [owner.tenantId, colleague.userId, `${owner.tenantId}@example.com`],
    );
    const mine = await upload([file()]);
    const theirs = await upload([file()], app.as(colleague, 'member'));
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect(await app.filesLeft()).toEqual([hashOf(TEXT)]);
  });

  it('is another document on another file for another tenant', async () => {
    const stranger = await db.createTenant();
    const mine = await upload([file()]);
    const theirs = await upload([file()], app.as(stranger));
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect(await app.filesLeft()).toHaveLength(2);
  });

  it('starts a failed document again', async () => {
    const { body } = await upload([file()]);
    await setStatus('failed', 'parse-timeout');
    await db.owner.query(`update job set state = 'failed'`);
    const again = await upload([file()]);
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ id: body.id, status: 'queued', reason: null });
    expect((await db.owner.query('select state from job')).rows).toEqual([{ state: 'queued' }]);
  });
});

describe('an upload that is refused leaves nothing behind', () => {
  afterEach(async () => {
    expect(await app.filesLeft()).toEqual([]);
    expect(await count('document')).toBe(0);
  });

  it('when it is empty', async () => {
    expect(await upload([file('')])).toMatchObject({ status: 422, body: { code: 'empty-document' } });
  });

  it('when it is of a type that cannot be read', async () => {
    const gif = Buffer.from('GIF89a\u0001\u0000\u0001\u0000');
    expect(await upload([file(gif as Buffer<ArrayBuffer>, 'plan.pdf')])).toMatchObject({
      status: 415,
      body: { code: 'unsupported-document-type' },
    });
  });

  it('when it is too large, also on a connection that is used again', async () => {
    for (let i = 0; i < 3; i++)
      expect(await upload([file('x'.repeat(MAX_BYTES + 1)), ['title', 'Large']])).toMatchObject({
        status: 413,
        body: { code: 'document-too-large', limit_bytes: MAX_BYTES },
      });
  });

  it('when it says itself that it is much too large, before its bytes have arrived', async () => {
    const answer = await send([
      `POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=B\r\n`,
      `content-length: 1000000000\r\nx-test-principal: ${app.as(owner)['x-test-principal']}\r\n\r\n--B\r\n`,
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('when its first bytes show that it cannot be read, while the rest is still to come', async () => {
    const gif = Buffer.from('GIF89a\u0001\u0000\u0001\u0000').toString('latin1');
    const answer = await send([
      `POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=B\r\n`,
      `content-length: 900000\r\nx-test-principal: ${app.as(owner)['x-test-principal']}\r\n\r\n`,
      `--B\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n${gif}${'x'.repeat(100_000)}`,
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 415 /);
  });

  it('when it is no form', async () => {
    const response = await fetch(`${app.url}/v1/documents`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...app.as(owner) },
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'multipart-expected' });
  });

  it('when there is no file, or more than one', async () => {
    expect(await upload([['title', 'x']])).toMatchObject({
      status: 400,
      body: { code: 'invalid-upload', field: 'file' },
    });
    expect(await upload([file(), file()])).toMatchObject({
      status: 400,
      body: { code: 'invalid-upload', field: 'file' },
    });
  });

  it('when a field is wrong, even behind the file', async () => {
    expect(await upload([file(), ['visibility', 'everybody']])).toMatchObject({
      status: 400,
      body: { code: 'validation-failed' },
    });
  });

  it('when a member shares it with the tenant', async () => {
    expect(await upload([file(), ['visibility', 'tenant']], app.as(owner, 'member'))).toMatchObject({
      status: 403,
      body: { code: 'sharing-not-allowed' },
    });
  });

  it('when the form is cut off', async () => {
    const body = '--B\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf';
    const response = await fetch(`${app.url}/v1/documents`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'multipart/form-data; boundary=B', ...app.as(owner) },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'upload-interrupted' });
  });

  it('when the client leaves in the middle', async () => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=B\r\n` +
        `content-length: 900000\r\nx-test-principal: ${app.as(owner)['x-test-principal']}\r\n\r\n` +
        `--B\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${'some text '.repeat(20_000)}`,
    );
    while ((await app.filesLeft()).length === 0);
    socket.destroy();
    while ((await app.filesLeft()).length > 0);
  });
});

describe('an upload of a manager', () => {
  it('may be visible to the whole tenant', async () => {
    const { status, body } = await upload([file(), ['visibility', 'tenant']], app.as(owner, 'manager'));
    expect([status, body.visibility]).toEqual([202, 'tenant']);
  });
});

describe('the sweep of orphans', () => {
  it('removes a file whose row was never committed, and leaves the files of documents', async () => {
    await upload([file()]);
    const orphan = await app.blobs.receive(chunk('orphan'), owner.tenantId, {
      limitBytes: 100,
      headBytes: 10,
      inspect: () => undefined,
      signal: new AbortController().signal,
    });
    await orphan.keep();
    expect(await app.filesLeft()).toHaveLength(2);
    expect(await app.app.get(OrphanSweep).sweep()).toBe(1);
    expect(await app.filesLeft()).toEqual([hashOf(TEXT)]);
  });

  it('never takes the file of an upload that is about to commit', async () => {
    const sweep = app.app.get(OrphanSweep);
    const uploads = Promise.all(Array.from({ length: 20 }, (_, i) => upload([file(`Document number ${i}`)])));
    let swept = 0;
    const done = uploads.then(() => true);
    while (!(await Promise.race([done, Promise.resolve(false)]))) swept += await sweep.sweep();
    await uploads;
    expect(swept).toBe(0);
    expect(await app.filesLeft()).toHaveLength(20);
  });
});

async function* chunk(text: string) {
  yield Buffer.from(text);
}

/** Sends pieces of a request and returns the head of the answer, while the request is still open. */
async function send(pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  for (const piece of pieces) socket.write(piece, 'latin1');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}
