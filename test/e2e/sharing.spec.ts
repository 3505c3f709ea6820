import { randomUUID } from 'node:crypto';
import { signedIn } from '../support/operator.js';
import { peopleOf } from '../support/people.js';
import { testApp, type TestApp } from '../support/test-app.js';

type Headers = Record<string, string>;

const PLAN = `# Costs

The overall deductible is $500 per person.
`;
const QUESTION = 'What is the overall deductible?';
const MAIL = [
  'Subject: Claim',
  'From: ann@example.com',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  'Content-Type: text/plain',
  '',
  'About the claim.',
  '--x',
  'Content-Type: application/octet-stream',
  'Content-Disposition: attachment; filename="bill.txt"',
  '',
  'The bill of the hospital is $1,500.',
  '--x--',
].join('\r\n');

describe('sharing documents', () => {
  let app: TestApp;
  let send: ReturnType<typeof peopleOf>['send'];
  beforeAll(async () => {
    app = await testApp();
    ({ send } = peopleOf(app));
  }, 60_000);
  afterAll(() => app?.close());

  async function somebody(role = 'member') {
    const headers = await signedIn(app, role);
    const { body } = await send('GET', '/v1/me', headers);
    return { headers, id: body.id as string };
  }

  async function group(...members: { id: string }[]): Promise<string> {
    const { status, body } = await send('POST', '/v1/groups', app.admin, { name: `g ${randomUUID()}` });
    expect(status).toBe(201);
    for (const { id } of members)
      expect((await send('PUT', `/v1/groups/${body.id}/members/${id}`, app.admin)).status).toBe(204);
    return body.id;
  }

  async function upload(headers: Headers, fields: Headers = {}, name = 'plan.md', content = PLAN) {
    const form = new FormData();
    form.append('file', new File([content], name));
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    const response = await app.fetch('/v1/documents', { method: 'POST', body: form, headers });
    const body = (await response.json()) as { id: string; visibility: string };
    // The stream ends when the document rests.
    await (await app.fetch(`/v1/documents/${body.id}/events`, { headers })).text();
    return body;
  }

  const share = (headers: Headers, id: string, json: object) =>
    send('PUT', `/v1/documents/${id}/sharing`, headers, json);
  const shareCollection = (headers: Headers, name: string, json: object) =>
    send('PUT', `/v1/collections/${encodeURIComponent(name)}/sharing`, headers, json);
  const found = async (headers: Headers, documentId: string) => {
    const { body } = await send('POST', '/v1/search', headers, { query: QUESTION });
    return (body.hits as { document_id: string }[]).some((hit) => hit.document_id === documentId);
  };
  const status = async (headers: Headers, path: string) => {
    const response = await app.fetch(path, { headers });
    await response.arrayBuffer();
    return response.status;
  };
  const listed = async (headers: Headers) =>
    ((await send('GET', '/v1/documents?limit=100', headers)).body.items as { id: string }[]).map(
      ({ id }) => id,
    );
  /** Through every door at once. */
  async function sees(headers: Headers, id: string): Promise<boolean> {
    const seen = [
      await found(headers, id),
      (await listed(headers)).includes(id),
      ...(await Promise.all(
        ['', '/content', '/passages', '/facts', '/events'].map(
          async (path) => (await status(headers, `/v1/documents/${id}${path}`)) === 200,
        ),
      )),
    ];
    expect(new Set(seen).size).toBe(1);
    return seen[0]!;
  }
  const grants = (...of: [kind: string, id: string][]) => of.map(([kind, id]) => ({ kind, id }));

  it('is with a colleague whose address one knows, without knowing his id', async () => {
    const [ann, bob] = [await somebody(), await somebody()];
    const { email } = (await send('GET', '/v1/me', bob.headers)).body;
    const { id } = await upload(ann.headers);
    const { body } = await send('GET', `/v1/directory?q=${encodeURIComponent(email)}`, ann.headers);
    expect(body).toEqual({ items: [{ id: bob.id, kind: 'person', name: email }], next_cursor: null });
    const shared = { visibility: 'shared', grants: grants(['user', body.items[0].id]) };
    expect((await share(ann.headers, id, shared)).status).toBe(200);
    expect(await sees(bob.headers, id)).toBe(true);
  });

  it('lets a group find, ask and read a document of its member, and nobody else, until it is taken back', async () => {
    const [ann, bob, carl] = [await somebody(), await somebody(), await somebody()];
    const team = await group(bob);
    const { id } = await upload(ann.headers);
    const shared = { visibility: 'shared', grants: grants(['group', team]) };
    for (let twice = 0; twice < 2; twice += 1)
      expect(await share(ann.headers, id, shared)).toMatchObject({
        status: 200,
        body: { visibility: 'shared', effective: 'shared', collection: null, grants: [{ id: team }] },
      });
    expect([await sees(bob.headers, id), await sees(carl.headers, id)]).toEqual([true, false]);

    const { body: talk } = await send('POST', '/v1/conversations', bob.headers, {});
    const ask = async () =>
      (await send('POST', `/v1/conversations/${talk.id}/questions`, bob.headers, { question: QUESTION }))
        .body;
    const first = await ask();
    expect(first).toMatchObject({ not_in_documents: false, citations: [{ document_id: id }] });
    expect(await ask()).toMatchObject({ served_by: 'cache', citations: [{ document_id: id }] });

    await share(ann.headers, id, { visibility: 'private' });
    expect(await sees(bob.headers, id)).toBe(false);
    const after = await ask();
    expect(after).toMatchObject({ not_in_documents: true, citations: [] });
    expect(JSON.stringify(after)).not.toContain('500');
    // What was shown stays as it was shown.
    const { body: shown } = await send('GET', `/v1/conversations/${talk.id}`, bob.headers);
    const { items } = shown.messages as { items: { answer: { id: string } }[] };
    expect(items.find(({ answer }) => answer.id === first.id)).toMatchObject({
      answer: { answer: first.answer, citations: [{ document_id: id }] },
    });
  }, 60_000);

  it('lets readers neither change nor share on', async () => {
    const [ann, bob, mia] = [await somebody(), await somebody(), await somebody('manager')];
    const { id } = await upload(ann.headers);
    await share(ann.headers, id, { visibility: 'shared', grants: grants(['user', bob.id]) });
    for (const answer of [
      await share(bob.headers, id, { visibility: 'private' }),
      await send('GET', `/v1/documents/${id}/sharing`, bob.headers),
      await send('DELETE', `/v1/documents/${id}`, bob.headers),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: 'not-your-document' } });
    expect(await share(mia.headers, id, { visibility: 'private' })).toMatchObject({
      status: 404,
      body: { code: 'document-not-found' },
    });
    expect(await share(ann.headers, id, { visibility: 'tenant' })).toMatchObject({
      status: 403,
      body: { code: 'sharing-not-allowed' },
    });
    await share(ann.headers, id, { visibility: 'shared', grants: grants(['user', mia.id]) });
    expect((await share(mia.headers, id, { visibility: 'tenant' })).status).toBe(200);
    expect(await sees(bob.headers, id)).toBe(true);
  }, 60_000);

  it('refuses whom nobody knows here, and what means nothing', async () => {
    const ann = await somebody();
    const { id } = await upload(ann.headers);
    const stranger = await app.db.createTenant();
    for (const unknown of [
      grants(['user', stranger.userId]),
      grants(['user', randomUUID()]),
      grants(['group', randomUUID()]),
      grants(['group', ann.id]),
    ])
      expect(await share(ann.headers, id, { visibility: 'shared', grants: unknown })).toMatchObject({
        status: 422,
        body: { code: 'grantees-not-found', grantees: unknown },
      });
    const many = grants(...Array.from({ length: 101 }, () => ['user', ann.id] as [string, string]));
    for (const wrong of [
      { visibility: 'private', grants: grants(['user', ann.id]) },
      { visibility: 'shared', grants: many },
      { visibility: 'world' },
    ])
      expect((await share(ann.headers, id, wrong)).status).toBe(400);
    expect((await share(ann.headers, id, { visibility: 'collection' })).body.code).toBe('no-collection');
    expect((await share(ann.headers, randomUUID(), { visibility: 'private' })).status).toBe(404);
  }, 60_000);

  it('ends with membership, with the group, and with the account', async () => {
    const [ann, bob, carl, dora] = [await somebody(), await somebody(), await somebody(), await somebody()];
    const [team, other] = [await group(bob, carl), await group(dora)];
    const { id } = await upload(ann.headers);
    const to = grants(['group', team], ['group', other], ['user', carl.id]);
    await share(ann.headers, id, { visibility: 'shared', grants: to });
    const who = async () =>
      Promise.all([bob, carl, dora].map(async ({ headers }) => (await listed(headers)).includes(id)));
    expect(await who()).toEqual([true, true, true]);
    for (const { id: member } of [bob, carl])
      expect((await send('DELETE', `/v1/groups/${team}/members/${member}`, app.admin)).status).toBe(204);
    expect(await who()).toEqual([false, true, true]);
    expect((await send('DELETE', `/v1/groups/${other}`, app.admin)).status).toBe(204);
    expect(await who()).toEqual([false, true, false]);
    expect((await send('DELETE', `/v1/users/${carl.id}`, app.admin)).status).toBe(204);
    const left = await send('GET', `/v1/documents/${id}/sharing`, ann.headers);
    expect(left.body.grants).toMatchObject([{ kind: 'group', id: team }]);
    const events = await app.db.owner.query<{ action: string }>(
      `select action from audit_event where outcome = 'success'
         and (targets @> $1::jsonb or targets @> $2::jsonb or targets @> $3::jsonb) order by occurred_at, id`,
      [id, team, other].map((target) => JSON.stringify([{ id: target }])),
    );
    expect(events.rows.map(({ action }) => action).filter((action) => action !== 'document.upload')).toEqual([
      'group.create',
      'group.member.add',
      'group.member.add',
      'group.create',
      'group.member.add',
      'document.share',
      'group.member.remove',
      'group.member.remove',
      'group.delete',
    ]);
  }, 60_000);

  it('holds for a collection, for what is in it and what comes, but for nobody else’s private documents', async () => {
    const [mia, ann, bob] = [await somebody('manager'), await somebody(), await somebody()];
    const collection = `claims/${randomUUID()}`;
    const there = await upload(mia.headers, { collection });
    const anns = await upload(ann.headers, { collection }, 'old.md', `${PLAN}\nOld.`);
    const shared = { visibility: 'shared', grants: grants(['user', bob.id]) };
    expect((await shareCollection(ann.headers, collection, shared)).status).toBe(403);
    expect(await shareCollection(mia.headers, collection, shared)).toMatchObject({
      status: 200,
      body: { visibility: 'shared', grants: [{ kind: 'user', id: bob.id }] },
    });
    const came = await upload(ann.headers, { collection }, 'new.md', `${PLAN}\nNew.`);
    const kept = await upload(ann.headers, { collection, visibility: 'private' }, 'k.md', `${PLAN}\nKept.`);
    expect([came.visibility, kept.visibility]).toEqual(['collection', 'private']);
    const all = [there, anns, came, kept].map(({ id }) => id);
    const who = async (headers: Headers) => {
      const ids = await listed(headers);
      return all.map((id) => ids.includes(id));
    };
    expect(await who(bob.headers)).toEqual([true, false, true, false]);
    expect(await found(bob.headers, came.id)).toBe(true);
    const collections = await send('GET', '/v1/collections?limit=100', bob.headers);
    expect(collections.body.items).toEqual([{ name: collection, documents: 2, visibility: 'shared' }]);

    expect(await share(ann.headers, anns.id, { visibility: 'collection' })).toMatchObject({
      body: { visibility: 'collection', effective: 'shared', grants: [{ id: bob.id }] },
    });
    expect(await who(bob.headers)).toEqual([true, true, true, false]);
    await shareCollection(mia.headers, collection, { visibility: 'tenant' });
    expect(await who((await somebody()).headers)).toEqual([true, true, true, false]);
    await shareCollection(mia.headers, collection, { visibility: 'private' });
    expect(await who(bob.headers)).toEqual([false, false, false, false]);
    expect(await who(ann.headers)).toEqual([false, true, true, true]);
  }, 60_000);

  it('shares what came inside a document with it', async () => {
    const [ann, bob] = [await somebody(), await somebody()];
    const { id } = await upload(ann.headers, {}, 'claim.eml', MAIL);
    const { body } = await send('GET', `/v1/documents?parent_id=${id}`, ann.headers);
    const [bill] = body.items as { id: string }[];
    expect(await share(ann.headers, bill!.id, { visibility: 'private' })).toMatchObject({
      status: 409,
      body: { code: 'attachment-not-shared-alone', parent_id: id },
    });
    await share(ann.headers, id, { visibility: 'shared', grants: grants(['user', bob.id]) });
    expect(await listed(bob.headers)).toEqual(expect.arrayContaining([id, bill!.id]));
    await share(ann.headers, id, { visibility: 'private' });
    const left = await listed(bob.headers);
    expect([left.includes(id), left.includes(bill!.id)]).toEqual([false, false]);
  }, 60_000);

  it('knows groups by names that are each there once, and tells members of their own', async () => {
    const [ann, bob] = [await somebody(), await somebody()];
    const name = `Team ${randomUUID()}`;
    const made = await send('POST', '/v1/groups', app.admin, { name });
    expect(made).toMatchObject({ status: 201, body: { name, members: 0 } });
    const path = `/v1/groups/${made.body.id}`;
    const twice = await send('POST', '/v1/groups', app.admin, { name: name.toUpperCase() });
    expect(twice).toMatchObject({ status: 409, body: { code: 'group-name-taken' } });
    expect((await send('POST', '/v1/groups', ann.headers, { name: 'x' })).status).toBe(403);
    await send('PUT', `${path}/members/${ann.id}`, app.admin);
    expect((await send('GET', '/v1/groups', ann.headers)).body.items).toMatchObject([{ name, members: 1 }]);
    expect((await send('GET', '/v1/groups', bob.headers)).body.items).toEqual([]);
    expect((await send('GET', path, bob.headers)).status).toBe(404);
    expect((await send('GET', `${path}/members`, ann.headers)).status).toBe(403);
    expect((await send('GET', `${path}/members`, app.admin)).body.items).toMatchObject([{ user_id: ann.id }]);
    expect(await send('PATCH', path, app.admin, { name: `${name}!` })).toMatchObject({
      status: 200,
      body: { name: `${name}!`, members: 1 },
    });
    const stranger = await app.db.createTenant();
    expect(await send('PUT', `${path}/members/${stranger.userId}`, app.admin)).toMatchObject({
      status: 404,
      body: { code: 'user-not-found' },
    });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await send('GET', `/v1/groups?limit=1${cursor && `&cursor=${cursor}`}`, app.admin);
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      cursor = body.next_cursor;
    }
    expect(seen).toContain(made.body.id);
    expect(new Set(seen).size).toBe(seen.length);
  }, 60_000);
});
