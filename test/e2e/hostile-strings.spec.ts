import { access } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { jest } from '@jest/globals';
import { cleanFileName, cleanName } from '../../apps/api/src/ingestion/uploads/clean-name.js';
import { type HostileRequest, HostileRoute, pack } from '../support/hostile-requests.js';
import { EVALUATED, hostileStrings } from '../support/hostile-strings.js';
import { type Furnishing, furnish } from '../support/leak-furnishing.js';
import { leakApp, type LeakApp, newPerson, newTenant, type Person } from '../support/leak-world.js';
import { nameOf, type Operation, operationsOf } from '../support/open-api.js';
import { eventually, signedIn } from '../support/operator.js';

/**
 * Hostile texts in every place that takes one. None may be a failure of the program, none may be executed, and each comes
 * back as it was sent or is refused with a reason.
 */

// Thousands of requests.
jest.setTimeout(300_000);

type Headers = Record<string, string>;
// Whatever the route answers.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Body = any;

let world: LeakApp;
let operations: Operation[];
let furnishing: Furnishing;
let actors: Headers[];
let owner: Person;
let admin: Headers;
const texts = hostileStrings();
const wrong: string[] = [];
let sent = 0;

beforeAll(async () => {
  world = await leakApp();
  operations = await operationsOf(world.app.url);
  const operator = await signedIn(world.app, 'operator');
  const tenant = await newTenant(world, operator, 'hostile');
  admin = tenant.admin.headers;
  owner = await newPerson(world, admin, 'member', 'owner@example.com');
  furnishing = await furnish(world, operations, tenant, owner);
  actors = [owner.headers, admin, operator];
});
afterAll(() => world?.app.close());

interface Answer {
  status: number;
  type: string;
  body: Body;
}

/** Sends it, and notes what no answer may be. */
async function send({ path, method, json }: HostileRequest, headers: Headers): Promise<Answer> {
  sent++;
  const answer = await eventually(
    async () => {
      const response = await world.app.fetch(path, { method, headers, ...(json && { json }) });
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      const text = await response.text();
      const body = /json$/.test(type) ? JSON.parse(text) : undefined;
      if (text.includes(EVALUATED)) wrong.push(`${method} ${path} evaluated a template`);
      if (response.headers.has('x-injected')) wrong.push(`${method} ${path} took over a header`);
      return { status: response.status, type, body };
    },
    ({ status }) => status !== 503,
  );
  const { status, type, body } = answer;
  // Sixteen kilobytes of headers, the address included, are refused before anybody looks at them.
  const isTooLong = status === 431;
  const isTyped =
    isTooLong || status < 400 || (type === 'application/problem+json' && typeof body.code === 'string');
  if (status >= 500 || !isTyped || type === 'text/html')
    wrong.push(
      `${method} ${path} ${JSON.stringify(json)} was answered with ${status} ${type} ${JSON.stringify(body)}`,
    );
  return answer;
}

/** Who of the owner, his administrator and an operator may use a route. */
async function actorFor(route: HostileRoute): Promise<Headers> {
  for (const headers of actors)
    if (![403, 404].includes((await send(route.request(0, new Set(route.names)), headers)).status))
      return headers;
  return admin;
}

/** Without the places that refused their text, until nothing is refused. */
async function sendAround(route: HostileRoute, i: number, headers: Headers) {
  const without = new Set<string>();
  for (;;) {
    const request = route.request(i, without);
    const answer = await send(request, headers);
    const refused =
      answer.body?.code === 'validation-failed' ? (answer.body.errors as { path: string }[]) : [];
    const names = refused.map(({ path }) => path.split('.').find((part) => route.names.includes(part)));
    const added = names.filter((name) => name !== undefined && !without.has(name));
    if (added.length === 0) return { request, answer };
    for (const name of added) without.add(name!);
  }
}

/** Texts that are another than the one that was sent; white space around a text may be taken off. */
function differences(given: Record<string, unknown>, back: Record<string, unknown>): string[] {
  return Object.entries(given).flatMap(([name, text]) => {
    const found = back[name];
    if (typeof text !== 'string' || typeof found !== 'string') return [];
    compared.set(name, (compared.get(name) ?? 0) + 1);
    return found === text || found === text.trim()
      ? []
      : [`${name} ${JSON.stringify(text)} became ${JSON.stringify(found)}`];
  });
}
const MANY = 500;
const compared = new Map<string, number>();

/** What was made is read again, and removed. */
async function readBack(
  route: HostileRoute,
  { path, json }: HostileRequest,
  { body }: Answer,
  headers: Headers,
) {
  if (!json || !body?.id) return;
  const at = (method: string) =>
    operations.find((each) => each.method === method && each.path === `${route.operation.path}/{id}`);
  const one = { path: `${path}/${body.id}`, method: 'GET' };
  const list = operations.some((each) => each.method === 'GET' && each.path === route.operation.path);
  const seen = at('GET')
    ? (await send(one, headers)).body
    : list &&
      (await send({ path, method: 'GET' }, headers)).body.items.find((item: Body) => item.id === body.id);
  wrong.push(...differences(json, seen || body).map((each) => `${nameOf(route.operation)}: ${each}`));
  // There may be only so many of most things.
  if (at('DELETE') && route.size < MANY) await send({ ...one, method: 'DELETE' }, headers);
}

async function inParallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

const routes = () =>
  operations
    .filter(({ path, method }) => !NOT_ASKED.has(`${method} ${path}`))
    .map((operation) => new HostileRoute(operation, furnishing.ids, texts));
/** They would end the session of who asks, or never end. */
const NOT_ASKED = new Set(['POST /v1/auth/logout', 'POST /v1/auth/oidc/logout', 'GET /v1/audit/stream']);

it('come back from every place that takes any text, or are refused with a reason', async () => {
  await inParallel(
    routes().filter(({ size }) => size > 0),
    async (route) => {
      const headers = await actorFor(route);
      for (let i = 0; i < route.size; i++) {
        const { request, answer } = await sendAround(route, i, headers);
        if (answer.status < 300 && request.method === 'POST') await readBack(route, request, answer, headers);
        else if (answer.status < 300 && request.json && answer.body)
          wrong.push(...differences(request.json, answer.body));
      }
    },
  );
  expect(wrong.splice(0).slice(0, 5)).toEqual([]);
  // Of the places that are stored and shown.
  for (const name of ['title', 'name', 'reason', 'description'])
    expect({ name, enough: (compared.get(name) ?? 0) > 20 }).toEqual({ name, enough: true });
  expect(compared.get('title')).toBeGreaterThan(500);
});

it('are refused where only numbers, dates, ids and certain words are taken', async () => {
  const taking = routes().filter(
    (route) => route.takesAnything && !/logout|password/.test(route.operation.path),
  );
  // Each text at some routes, and each route with some texts.
  const step = Math.ceil(texts.length / 4);
  await inParallel([...taking.entries()], async ([n, route]) => {
    for (let i = n % step; i < texts.length; i += step) await send(route.forced(texts[i]!), admin);
  });
  expect(wrong.splice(0).slice(0, 5)).toEqual([]);
});

it('come back as names, titles, collections and tags of files', async () => {
  await send({ path: '/v1/ingestion/pause', method: 'POST', json: { reason: 'test' } }, admin);
  const pieces = { title: pack(texts, 300), collection: pack(texts, 100), tag: pack(texts, 50) };
  let read = 0;
  await inParallel([...texts.entries()], async ([i, text]) => {
    const given = Object.fromEntries(
      Object.entries(pieces).map(([name, list]) => [name, list[i % list.length]!.toWellFormed()]),
    );
    const body = new FormData();
    for (const [name, value] of Object.entries(given)) body.append(name === 'tag' ? 'tags' : name, value);
    body.append('file', new File([`A plan, number ${i}.`], `${text}.txt`));
    const response = await world.app.fetch('/v1/documents', { method: 'POST', body, headers: owner.headers });
    const answer = (await response.json()) as Body;
    if (response.status !== 202) {
      if (response.status >= 500 || !answer.code)
        wrong.push(`${JSON.stringify(given)}: ${JSON.stringify(answer)}`);
      return;
    }
    read++;
    const { body: seen } = await send({ path: `/v1/documents/${answer.id}`, method: 'GET' }, owner.headers);
    // So are names written in forms.
    const name = `${text}.txt`
      .toWellFormed()
      .replace(/\r?\n|\r/g, '%0D%0A')
      .replaceAll('"', '%22');
    // Who reads a name must see what it is: nothing in it is invisible.
    const expected = {
      filename: cleanFileName(name),
      title: cleanName(given['title']!, 300),
      collection: cleanName(given['collection']!, 100),
    };
    wrong.push(...differences(expected, seen).map((each) => `upload ${i}: ${each}`));
  });
  expect(wrong.splice(0).slice(0, 5)).toEqual([]);
  expect(read).toBeGreaterThan(400);
});

it('come back as questions', async () => {
  const { body } = await send({ path: '/v1/conversations', method: 'POST', json: {} }, owner.headers);
  const path = `/v1/conversations/${body.id}`;
  const asked: string[] = [];
  for (const question of pack(texts, 3_900)) {
    const answer = await send(
      { path: `${path}/questions`, method: 'POST', json: { question } },
      owner.headers,
    );
    if (answer.status === 200) asked.push(question.trim());
  }
  const seen = await send({ path, method: 'GET' }, owner.headers);
  const questions = (seen.body.messages.items as { question: string }[]).map(({ question }) => question);
  expect(questions.toSorted()).toEqual(asked.toSorted());
  expect(asked.length).toBeGreaterThan(3);
  expect(wrong.splice(0).slice(0, 5)).toEqual([]);
});

it('do no harm in headers', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  const names = [
    'x-request-id',
    'x-correlation-id',
    'user-agent',
    'referer',
    'origin',
    'accept',
    'if-none-match',
  ];
  const strict = [
    'x-deadline-ms',
    'x-priority',
    'range',
    'last-event-id',
    'if-match',
    'x-forwarded-for',
    'traceparent',
  ];
  const groups = [
    names,
    strict,
    ['authorization'],
    ['cookie', 'accept-language', 'content-type', 'idempotency-key'],
  ];
  const statuses = new Map<number, number>();
  await inParallel(
    texts.flatMap((text) => groups.map((group) => ({ text, group }))),
    async ({ text, group }) => {
      // The bytes of the text; what no header may have is left out by every client.
      const value = Buffer.from(text.replace(/\p{Cc}/gu, '')).toString('latin1');
      const headers = { ...owner.headers, ...Object.fromEntries(group.map((name) => [name, value])) };
      const { status, type } = await ask('/v1/me', agent, headers);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status >= 500 || !/json/.test(type))
        wrong.push(`${group.join()} ${JSON.stringify(text)}: ${status} ${type}`);
    },
  );
  agent.destroy();
  expect(wrong.splice(0).slice(0, 5)).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(texts.length);
  expect(statuses.get(401)).toBeGreaterThanOrEqual(texts.length);
});

it('have run nothing, broken nothing and left the log as it should be', async () => {
  for (const trace of ['/tmp/blns.fail', '/tmp/blns.shellshock1.fail', '/tmp/blns.shellshock2.fail'])
    await expect(access(trace)).rejects.toThrow('ENOENT');
  const { rows } = await world.app.db.owner.query(`select to_regclass('document') is not null as "isThere"`);
  expect(rows).toEqual([{ isThere: true }]);
  // Each line is one record, and none tells of an error.
  const lines = (await world.logged()).trimEnd().split('\n');
  const errors = lines
    .map((line) => JSON.parse(line) as { level: number })
    .filter(({ level }) => level >= 50);
  expect(errors).toEqual([]);
  expect(sent).toBeGreaterThan(500);
});

/** By Node's own client, which lets headers be what they are. */
function ask(path: string, agent: Agent, headers: Headers): Promise<{ status: number; type: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${world.app.url}${path}`, { agent, headers }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode!, type: response.headers['content-type'] ?? '' }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}
