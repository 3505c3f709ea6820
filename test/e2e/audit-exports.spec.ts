import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { AuditKeys, openNote } from '#libs/audit';
import { readEvents, type ReceivedEvent } from '../support/event-reader.js';
import { until } from '../support/faulty-database.js';
import { signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface Job {
  id: string;
  state: string;
  rows: number;
  bytes: number;
  sha256: string;
  manifest: string;
  file_name: string;
}

describe('copies of the audit log', () => {
  let app: TestApp;
  /** Of a member, who may not read the log. */
  let member: Record<string, string>;

  beforeAll(async () => {
    app = await testApp({ EXPORT_POLL_MS: '20', AUDIT_CHECKPOINT_MS: '100' });
    member = await keyWith(['document.read']);
    for (let i = 0; i < 25; i++) await keyWith(['document.read'], `key-${i}`);
  });
  afterAll(() => app?.close());

  async function keyWith(scopes: string[], name = 'a key') {
    const response = await app.fetch('/v1/api-keys', { headers: app.admin, json: { name, scopes } });
    const { key } = (await response.json()) as { key: string };
    return { authorization: `Bearer ${key}` };
  }

  const get = (path: string, headers: Record<string, string> = {}) =>
    app.fetch(`/v1/audit/${path}`, { headers: { ...app.admin, ...headers } });
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
  const events = async (query: string) =>
    ((await (await get(`events?limit=100&${query}`)).json()) as { items: { id: string; action: string }[] })
      .items;

  async function ask(json: object, headers: Record<string, string> = {}): Promise<Job> {
    const response = await app.fetch('/v1/audit/exports', { headers: { ...app.admin, ...headers }, json });
    expect(response.status).toBe(202);
    return (await response.json()) as Job;
  }

  async function ready(json: object): Promise<Job> {
    let job = await ask(json);
    await until(async () => {
      job = (await (await get(`exports/${job.id}`)).json()) as Job;
      return job.state !== 'queued' && job.state !== 'running';
    });
    expect(job.state).toBe('ready');
    return job;
  }

  const content = async (job: Job) =>
    Buffer.from(await (await get(`exports/${job.id}/content`)).arrayBuffer());

  it('hold the exact text of each event and its place in the tree, as the signed manifest says', async () => {
    const wanted = await events('action=api-key.create&order=asc');
    await until(async () => (await get(`events/${wanted.at(-1)!.id}?proof=true`)).status === 200);
    const job = await ready({ format: 'ndjson', action: 'api-key.create' });
    const file = await content(job);
    expect(createHash('sha256').update(file).digest('hex')).toBe(job.sha256);
    const lines = file.toString().trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { id: string; leaf_index: number; body: string });
    expect(rows.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    expect([job.rows, job.bytes]).toEqual([rows.length, file.length]);
    const { leaf_index, body, id } = rows[7]!;
    const proven = (await (await get(`events/${id}?proof=true`)).json()) as { proof: object };
    expect(proven.proof).toMatchObject({ leaf_index, body });
    const keys = await AuditKeys.load(join(app.dataDir, 'secrets', 'audit-keys.json'));
    const [, manifest] = openNote(job.manifest, keys.verifiers).split('\n');
    expect(JSON.parse(manifest!)).toMatchObject({ id: job.id, sha256: job.sha256, rows: rows.length });
  });

  it('are of the moment in which they were asked for, and of what was asked for', async () => {
    const before = (await events('category=admin')).length;
    const job = await ask({ format: 'csv', gzip: true, category: 'admin', outcome: 'success' });
    await keyWith(['document.read'], 'later');
    await until(async () => ((await (await get(`exports/${job.id}`)).json()) as Job).state === 'ready');
    const response = await get(`exports/${job.id}/content`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/gzip',
      'cache-control': 'no-store',
      'content-disposition': expect.stringMatching(/^attachment; filename="audit-[\d-]{10}\.csv\.gz"/),
    });
    const [header, ...rows] = gunzipSync(await response.arrayBuffer())
      .toString()
      .trim()
      .split('\r\n');
    expect(header).toMatch(/^occurred_at,id,leaf_index,action,/);
    expect(rows.every((row) => row.includes(',admin,success,'))).toBe(true);
    expect(rows.length).toBeLessThanOrEqual(before);
  });

  it('can be downloaded in parts, and by whom stands in the log', async () => {
    const job = await ready({ format: 'ocsf' });
    const file = await content(job);
    const first = JSON.parse(file.toString().split('\n')[0]!) as object;
    expect(first).toMatchObject({ metadata: { version: '1.3.0' }, type_uid: expect.any(Number) });
    const part = await get(`exports/${job.id}/content`, { range: 'bytes=10-19' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${file.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(file.subarray(10, 20));
    expect((await get(`exports/${job.id}/content`, { range: `bytes=${file.length}-` })).status).toBe(416);
    const traces = await events(`target_id=${job.id}`);
    expect(traces.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['audit.export', 'audit.export.download']),
    );
  });

  it('are made once for a request that is repeated', async () => {
    const headers = { 'idempotency-key': 'an-export' };
    const [first, second] = [
      await ask({ format: 'ndjson', q: 'nothing' }, headers),
      await ask({ format: 'ndjson', q: 'nothing' }, headers),
    ];
    expect(second.id).toBe(first.id);
  });

  it('are gone when they are removed', async () => {
    const job = await ready({ format: 'ndjson', action: 'auth.*' });
    const removed = await app.fetch(`/v1/audit/exports/${job.id}`, { method: 'DELETE', headers: app.admin });
    expect(removed.status).toBe(204);
    const refused = await get(`exports/${job.id}/content`);
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'export-not-ready']);
    const { items } = (await (await get('exports?limit=100')).json()) as { items: Job[] };
    expect(items.find(({ id }) => id === job.id)).toMatchObject({ state: 'cancelled' });
  });

  it('of the installation are not among those of the tenant', async () => {
    await app.fetch('/v1/auth/login', {
      json: { email: 'nobody@example.com', password: 'not the password' },
    });
    const operator = await signedIn(app, 'operator');
    const job = await ask({ format: 'ndjson', scope: 'installation' }, operator);
    const path = `exports/${job.id}?scope=installation`;
    await until(async () => ((await (await get(path, operator)).json()) as Job).state === 'ready');
    expect((await get(path)).status).toBe(403);
    expect((await get(`exports/${job.id}`, operator)).status).toBe(404);
    const file = await (await get(`exports/${job.id}/content?scope=installation`, operator)).text();
    expect(JSON.parse((JSON.parse(file.split('\n')[0]!) as { body: string }).body)).toMatchObject({
      action: 'auth.login',
      outcome: 'denied',
    });
  });

  it('are not for everybody, and not for what nobody knows', async () => {
    expect((await get('exports', member)).status).toBe(403);
    expect((await get('stream', member)).status).toBe(403);
    const key = await keyWith(['audit.read', 'audit.export']);
    expect((await get('exports', key)).status).toBe(200);
    const foreign = await get('exports/0198c0de-0000-7000-8000-000000000000');
    expect([foreign.status, await codeOf(foreign)]).toEqual([404, 'export-not-found']);
    for (const json of [
      { format: 'xml' },
      {},
      { format: 'csv', limit: 1 },
      { format: 'csv', actor_id: 'me' },
    ])
      expect((await app.fetch('/v1/audit/exports', { headers: app.admin, json })).status).toBe(400);
  });

  describe('as they come', () => {
    /** Reads until one matches, and leaves. */
    async function next(stream: AsyncGenerator<ReceivedEvent>, matches: (event: ReceivedEvent) => boolean) {
      for (;;) {
        const { value, done } = await stream.next();
        if (done) throw new Error('The stream has ended');
        if (matches(value)) return value;
      }
    }
    const open = async (query = '', headers: Record<string, string> = {}) => {
      const response = await get(`stream?${query}`, headers);
      expect(response.status).toBe(200);
      return readEvents(response);
    };

    it('tell of each event once, also of those while nobody was reading', async () => {
      const stream = await open('action=api-key.create');
      await keyWith(['document.read'], 'seen');
      const [newest] = await events('action=api-key.create');
      const seen = await next(stream, ({ data }) => data.id === newest!.id);
      expect(seen.data).toMatchObject({ action: 'api-key.create', leaf_index: Number(seen.id) });
      await stream.return(undefined);
      await keyWith(['document.read'], 'first');
      await keyWith(['document.read'], 'second');
      const [second, first] = await events('action=api-key.create');
      const again = await open('action=api-key.create', { 'last-event-id': seen.id! });
      expect((await next(again, () => true)).data).toMatchObject({ id: first!.id });
      expect((await next(again, () => true)).data).toMatchObject({ id: second!.id });
      await again.return(undefined);
      const all = await open('action=api-key.create&after=-1');
      const [oldest] = await events('action=api-key.create&order=asc');
      expect((await next(all, () => true)).data).toMatchObject({ id: oldest!.id });
      await all.return(undefined);
    });

    it('are recorded before anything is read, and end when the credential does', async () => {
      const response = await app.fetch('/v1/api-keys', {
        headers: app.admin,
        json: { name: 'to be revoked', scopes: ['audit.read'] },
      });
      const { id, key } = (await response.json()) as { id: string; key: string };
      const before = (await events('action=audit.stream')).length;
      const stream = await open('', { authorization: `Bearer ${key}` });
      expect(await events('action=audit.stream')).toHaveLength(before + 1);
      await app.fetch(`/v1/api-keys/${id}`, { method: 'DELETE', headers: app.admin });
      const last = await next(stream, ({ event }) => event === 'error');
      expect(last.data).toMatchObject({ status: 401 });
      expect((await stream.next()).done).toBe(true);
    });
  });
});
