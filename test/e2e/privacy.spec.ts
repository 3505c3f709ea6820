import { randomUUID } from 'node:crypto';
import { fromBufferPromise } from 'yauzl';
import { leakApp } from '../support/leak-world.js';
import { mailTo } from '../support/mail-folder.js';
import { eventually } from '../support/operator.js';
import { bearer, type peopleOf } from '../support/people.js';
import type { RunningApp } from '../support/test-app.js';
import { tracesOf } from '../support/traces.js';

type Headers = Record<string, string>;

describe('the privacy of people over HTTP', () => {
  let app: RunningApp;
  let people: ReturnType<typeof peopleOf>;
  // In a process of its own, whose log is among the files that are searched.
  beforeAll(async () => {
    ({ app, people } = await leakApp({ PRIVACY_POLL_MS: '50', EXPORT_POLL_MS: '50' }));
  }, 60_000);
  afterAll(() => app?.close());

  const send = (method: string, path: string, headers: Headers = app.admin, json?: unknown) =>
    people.send(method, path, headers, json);

  /** Read and answerable when it resolves. */
  async function upload(headers: Headers, name: string, text: string, fields: Headers = {}): Promise<string> {
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('file', new File([text], name));
    const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await (await app.fetch(`/v1/documents/${id}/events`, { headers })).text();
    return id;
  }

  async function ask(headers: Headers, question: string, key = randomUUID()) {
    const { body } = await send('POST', '/v1/conversations', headers, {});
    const path = `/v1/conversations/${body.id}/questions`;
    const answer = await send('POST', path, { ...headers, 'idempotency-key': key }, { question });
    expect(answer.status).toBe(200);
    return answer.body as { answer: string; conversation_id: string; citations: { document_id: string }[] };
  }

  const listed = async (headers: Headers) =>
    ((await send('GET', '/v1/documents?limit=100', headers)).body.items as { id: string }[]).map(
      ({ id }) => id,
    );

  const erase = (userId: string, rest: object = {}) =>
    send('POST', '/v1/privacy/erasures', app.admin, { user_id: userId, shared_documents: 'delete', ...rest });

  const ended = async (path: string, headers = app.admin, state = 'done') =>
    (
      await eventually(
        () => send('GET', path, headers),
        ({ body }) => body.state === state,
      )
    ).body;

  const actions = async (headers: Headers, query: string) =>
    (await send('GET', `/v1/audit/events?${query}`, headers)).body.items as {
      action: string;
      detail: { counts: Record<string, number> };
      targets: { type: string; id: string }[];
    }[];

  async function filesOf(path: string, headers: Headers): Promise<Map<string, string>> {
    const response = await app.fetch(path, { headers });
    expect(response.status).toBe(200);
    const zip = await fromBufferPromise(Buffer.from(await response.arrayBuffer()));
    const files = new Map<string, string>();
    for await (const entry of zip.eachEntry()) {
      const pieces: Buffer[] = [];
      for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
      files.set(entry.fileName, Buffer.concat(pieces).toString());
    }
    return files;
  }

  it('gives everybody a signed copy of what is kept of him, and nothing of anybody else', async () => {
    const [ada, ben] = [await people.person(), await people.person()];
    const text = 'The Zephyrine plan pays 4,711 dollars for glasses.';
    const mine = await upload(ada.headers, 'mine.txt', text);
    await upload(ben.headers, 'his.txt', 'The Borealis plan pays nothing for glasses.');
    await ask(ada.headers, 'What does the Zephyrine plan pay for glasses?');
    const key = await send('POST', '/v1/api-keys', ada.headers, { name: 'ada’s key' });

    const requested = await send('POST', '/v1/privacy/exports', ada.headers, {});
    expect(requested).toMatchObject({ status: 202, body: { of: 'user', user_id: ada.id } });
    const path = `/v1/privacy/exports/${requested.body.id}`;
    const copy = await ended(path, ada.headers, 'ready');
    expect(copy.manifest).toContain(copy.sha256);
    const left = Date.parse(copy.expires_at) - Date.parse(copy.finished_at);
    expect(Math.round(left / 86_400_000)).toBe(7);

    const files = await filesOf(`${path}/content`, ada.headers);
    expect(files.get(`originals/${mine}.txt`)).toBe(text);
    const rows = (table: string) =>
      files
        .get(`data/${table}.ndjson`)!
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Headers);
    expect(rows('app_user')).toMatchObject([{ id: ada.id, email: ada.email }]);
    expect(rows('document')).toMatchObject([{ id: mine, title: 'mine' }]);
    expect(rows('turn')).toMatchObject([{ question: 'What does the Zephyrine plan pay for glasses?' }]);
    expect(rows('api_key')).toMatchObject([{ name: 'ada’s key' }]);
    expect(rows('audit_event').map(({ action }) => action)).toContain('document.upload');
    const all = [...files.values()].join();
    for (const foreign of ['Borealis', ben.email, ben.id, key.body.key, 'password_hash', 'secret_hash'])
      expect(all).not.toContain(foreign);

    for (const route of [path, `${path}/content`])
      expect((await send('GET', route, ben.headers)).status).toBe(404);
    expect(
      (await send('POST', '/v1/privacy/exports', ben.headers, { of: 'user', user_id: ada.id })).status,
    ).toBe(403);
    expect((await send('POST', '/v1/privacy/exports', ben.headers, { of: 'tenant' })).status).toBe(403);
    expect((await send('DELETE', path, ada.headers)).status).toBe(204);
    expect((await send('GET', `${path}/content`, ada.headers)).status).toBe(409);
  });

  it('asks who is there before it gives anything away or erases anybody', async () => {
    const ada = await people.person('admin');
    const key = bearer((await send('POST', '/v1/api-keys', ada.headers, { name: 'k' })).body.key);
    expect((await send('POST', '/v1/privacy/exports', key, {})).body.code).toBe('session-required');
    await app.db.owner.query(
      `update session set created_at = created_at - interval '1 hour' where user_id = $1`,
      [ada.id],
    );
    for (const [path, body] of [
      ['/v1/privacy/exports', {}],
      ['/v1/privacy/erasures', { user_id: randomUUID(), shared_documents: 'delete' }],
    ] as const) {
      expect((await send('POST', path, ada.headers, body)).body.code).toBe('reauthentication-required');
      expect((await send('POST', path, ada.headers, { ...body, password: 'wrong' })).status).toBe(403);
    }
    const password = 'eleven purple tractors';
    expect((await send('POST', '/v1/privacy/exports', ada.headers, { password })).status).toBe(202);
  });

  it('leaves nothing of somebody who is erased, in no column, file or metric, but his id in the log', async () => {
    const word = `quillfeather${randomUUID().slice(0, 8)}`;
    const invited = `${word}@example.com`;
    const person = await personOf(invited);
    const ben = await people.person();
    const text = `The ${word} plan pays 1,234 dollars for a hearing aid.`;
    const own = await upload(person.headers, `${word}.txt`, text);
    const shared = await upload(
      person.headers,
      `${word}-2.txt`,
      `The deductible of the ${word} plan is $77 for one person.`,
    );
    await app.db.owner.query(`update document set visibility = 'tenant' where id = $1`, [shared]);
    await ask(person.headers, `What does the ${word} plan pay for a hearing aid?`);
    const answer = await ask(ben.headers, 'What is the deductible for one person?');
    expect(JSON.stringify(answer)).toContain(word);
    await send('POST', '/v1/api-keys', person.headers, { name: word });
    await send('POST', '/v1/auth/password/forgot', {}, { email: invited });
    const copy = await send('POST', '/v1/privacy/exports', person.headers, {});
    await ended(`/v1/privacy/exports/${copy.body.id}`, person.headers, 'ready');
    const webhook = { url: `https://example.com/${randomUUID()}`, events: ['document.ready'] };
    expect((await send('POST', '/v1/webhooks', app.admin, webhook)).status).toBe(201);
    const form = new FormData();
    form.append('file', new File([`The ${word} plan pays for teeth.`], `${word}-3.txt`));
    const imported = await app.fetch('/v1/imports', { method: 'POST', body: form, headers: person.headers });
    expect(imported.status).toBe(202);
    const { id: importId } = (await imported.json()) as { id: string };
    await (await app.fetch(`/v1/imports/${importId}/events`, { headers: person.headers })).text();

    const before = await tracesOf(app, [word]);
    for (const place of ['app_user', 'document', 'passage', 'turn', 'api_key', 'invitation', 'import_item'])
      expect(before).toContain(place);
    expect(before.filter((place) => /^(blobs|mail)\//.test(place)).length).toBeGreaterThanOrEqual(3);

    const begun = await erase(person.id);
    expect(begun).toMatchObject({ status: 202, body: { state: 'waiting', user_id: person.id } });
    const receipt = await ended(`/v1/privacy/erasures/${begun.body.id}`);
    expect(receipt).toMatchObject({ user_id: null, counts: { document: 3, app_user: 1, api_key: 1 } });
    expect(receipt.counts['turn (emptied)']).toBe(1);

    expect(await tracesOf(app, [word, invited])).toEqual([]);
    const ids = await tracesOf(app, [person.id]);
    // Lines of requests name who has sent them, by the id that leads to nobody any more.
    expect(ids.filter((place) => !/^(audit[_-]|program\.log)/.test(place))).toEqual([]);
    expect(ids).toContain('audit_event');
    const metrics = await (await app.fetch('/metrics', { headers: app.admin })).text();
    expect(metrics).toContain('navigator_privacy_runs_total');
    for (const each of [word, person.id, own, shared]) expect(metrics).not.toContain(each);
    const told = await actions(app.admin, 'action=privacy.erased');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ detail: { counts: receipt.counts } });
    expect(told[0]!.targets).toContainEqual({ type: 'user', id: person.id });
    const again = await ask(ben.headers, 'What is the deductible for one person?');
    expect(again.citations).toEqual([]);
  }, 60_000);

  it('keeps copies of others from whoever is an administrator no more', async () => {
    const [ada, ben] = [await people.person(), await people.person('admin')];
    const copies: string[] = [];
    for (const body of [{ of: 'tenant' }, { of: 'user', user_id: ada.id.toUpperCase() }, { of: 'me' }])
      copies.push((await send('POST', '/v1/privacy/exports', ben.headers, body)).body.id);
    for (const id of copies) await ended(`/v1/privacy/exports/${id}`, ben.headers, 'ready');
    expect((await send('GET', `/v1/privacy/exports/${copies[1]}`, ben.headers)).body.user_id).toBe(ada.id);
    expect((await send('PATCH', `/v1/users/${ben.id}`, app.admin, { role: 'member' })).status).toBe(200);
    const { headers } = await people.session(ben.email);
    const list = await send('GET', '/v1/privacy/exports', headers);
    expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual([copies[2]]);
    for (const [i, id] of copies.entries()) {
      const expected = i === 2 ? 200 : 404;
      for (const path of [id, `${id}/content`]) {
        const { status, body } = await app.fetch(`/v1/privacy/exports/${path}`, { headers });
        await body?.cancel();
        expect([path, status]).toEqual([path, expected]);
      }
    }
    expect((await send('DELETE', `/v1/privacy/exports/${copies[0]}`, headers)).status).toBe(404);
  });

  it('takes somebody out of sight at once, and gives everything back when the erasure is cancelled', async () => {
    const [ada, ben] = [await people.person(), await people.person()];
    const kept = await upload(ada.headers, 'kept.txt', 'The Kestrel plan pays 31 dollars for a filling.');
    await app.db.owner.query(`update document set visibility = 'tenant' where id = $1`, [kept]);
    expect(await listed(ben.headers)).toContain(kept);
    const begun = await erase(ada.id, { grace_days: 30 });
    expect(begun).toMatchObject({ status: 202, body: { state: 'waiting' } });
    expect(await listed(ben.headers)).not.toContain(kept);
    expect((await send('GET', `/v1/documents/${kept}`, ben.headers)).status).toBe(404);
    expect([await people.me(ada.headers), (await people.login(ada.email)).status]).toEqual([401, 401]);
    const back = { suspended: false };
    for (const [method, body] of [['PATCH', back], ['DELETE']] as const)
      expect((await send(method, `/v1/users/${ada.id}`, app.admin, body)).body.code).toBe(
        'user-being-erased',
      );
    expect((await erase(ada.id)).body.code).toBe('user-being-erased');

    const path = `/v1/privacy/erasures/${begun.body.id}`;
    expect((await send('POST', `${path}/cancel`)).body.state).toBe('cancelled');
    expect(await listed(ben.headers)).toContain(kept);
    expect((await people.login(ada.email)).status).toBe(200);
    expect((await send('POST', `${path}/cancel`)).body.code).toBe('erasure-not-waiting');
  });

  it('gives what others see to an administrator who stays, and needs one', async () => {
    const [ada, ben] = [await people.person('admin'), await people.person()];
    const seen = await upload(ada.headers, 'seen.txt', 'The Merlin plan pays 12 dollars.', {
      visibility: 'tenant',
    });
    const own = await upload(ada.headers, 'own.txt', 'The Merlin plan is private.');
    const me = (await send('GET', '/v1/me')).body.id as string;
    const rest = { shared_documents: 'transfer' };
    expect((await erase(ada.id, { ...rest, heir_id: ben.id })).body.code).toBe('heir-unsuitable');
    const { body } = await erase(ada.id, rest);
    const receipt = await ended(`/v1/privacy/erasures/${body.id}`);
    expect(receipt.counts).toMatchObject({ document: 1, 'document (transferred)': 1 });
    const { rows } = await app.db.owner.query('select id, owner_id from document where id = any ($1)', [
      [seen, own],
    ]);
    expect(rows).toEqual([{ id: seen, owner_id: me }]);
    expect(await listed(ben.headers)).toContain(seen);
  });

  it('erases nobody and deletes nothing that is under a legal hold, and says which', async () => {
    const ada = await people.person();
    const held = await upload(ada.headers, 'held.txt', 'The Osprey plan.', { collection: `case-${ada.id}` });
    const hold = await send('POST', '/v1/audit/holds', app.admin, {
      scope: 'collection',
      subject: `case-${ada.id}`,
      reason: 'case 17',
    });
    expect(hold.status).toBe(201);
    const refused = { status: 409, body: { code: 'legal-hold', holds: [hold.body.id] } };
    expect(await erase(ada.id)).toMatchObject(refused);
    expect(await send('DELETE', `/v1/documents/${held}`, ada.headers)).toMatchObject(refused);
    expect(await people.me(ada.headers)).toBe(200);
  });

  async function personOf(email: string) {
    await send('POST', '/v1/invitations', app.admin, { email, role: 'member' });
    const { token } = await mailTo(app, email, 'invited');
    const password = 'eleven purple tractors';
    const { body } = await send('POST', '/v1/auth/invitations/accept', {}, { token, password });
    return { id: body.id as string, email, ...(await people.session(email)) };
  }
});
