import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import {
  type Attacker,
  deadCredentials,
  insiders,
  outsiders,
  type Tenant,
  twinOf,
} from '../support/leak-attackers.js';
import { type Furnishing, furnish } from '../support/leak-furnishing.js';
import { type Attempt, attemptsAt, type IdOf } from '../support/leak-requests.js';
import {
  type Canary,
  leakApp,
  type LeakApp,
  newPerson,
  newTenant,
  type Person,
} from '../support/leak-world.js';
import { nameOf, type Operation, operationsOf } from '../support/open-api.js';
import { eventually, signedIn } from '../support/operator.js';

/**
 * Every route of the OpenAPI document, asked by everybody who may not for everything that one tenant has. Nothing that
 * is written in it may come back, and its ids must be as unknown as ids of nothing.
 */

// Thousands of requests.
jest.setTimeout(300_000);

interface Seen {
  status: number;
  headers: string;
  text: string;
}

let world: LeakApp;
let operations: Operation[];
let attempts: Attempt[];
let tenant: Tenant;
let owner: Person;
let attacked: Furnishing;
let other: { tenant: Tenant; owner: Person; furnishing: Furnishing };
let operator: Record<string, string>;

beforeAll(async () => {
  world = await leakApp();
  operations = await operationsOf(world.app.url);
  attempts = operations.flatMap(attemptsAt);
  operator = await signedIn(world.app, 'operator');
  const inhabited = async (name: string) => {
    const made = await newTenant(world, operator, name);
    const person = await newPerson(
      world,
      made.admin.headers,
      'member',
      `owner-${randomUUID()}@${name}.example.com`,
    );
    return { made, person, furnishing: await furnish(world, operations, made, person) };
  };
  const [one, two] = [await inhabited('attacked'), await inhabited('other')];
  [tenant, owner, attacked] = [one.made, one.person, one.furnishing];
  other = { tenant: two.made, owner: two.person, furnishing: two.furnishing };
  attacked.canaries.push({ what: 'e-mail of the owner', text: owner.email, seenBy: 'administrators' });
});
afterAll(() => world?.app.close());

const theirs: IdOf = (kind) => attacked.ids.get(kind);
const own: IdOf = (kind) => other.furnishing.ids.get(kind);
const ofNothing: IdOf = () => randomUUID();

/** Again where the program was too busy: that says nothing of what was asked for. */
async function send(
  attempt: Attempt,
  headers: Record<string, string>,
  ids: IdOf,
  ownIds: IdOf,
): Promise<Seen> {
  return eventually(
    () => sendOnce(attempt, headers, ids, ownIds),
    ({ status }) => status !== 503,
  );
}

/** A stream that goes on is left after a while, with what it has said until then. */
async function sendOnce(
  { request }: Attempt,
  headers: Record<string, string>,
  ids: IdOf,
  ownIds: IdOf,
): Promise<Seen> {
  const { path, init } = request(ids, ownIds);
  const response = await world.app.fetch(path, {
    ...init,
    headers: { ...(init.headers as object), ...headers },
  });
  let text = '';
  const leave = setTimeout(() => void reader?.cancel(), 1_500);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) text += part.value;
  clearTimeout(leave);
  return { status: response.status, headers: JSON.stringify([...response.headers]), text };
}

async function sendAs(attacker: Attacker, attempt: Attempt, ids: IdOf): Promise<Seen> {
  const seen = await send(attempt, attacker.headers, ids, own);
  if (seen.status !== 401 || attacker.isDead || attempt.operation.isPublic) return seen;
  attacker.headers = await attacker.renew!(); // He has logged out, or changed his password.
  return send(attempt, attacker.headers, ids, own);
}

const among = (canaries: Canary[], text: string) =>
  canaries.filter((canary) => text.toLowerCase().includes(canary.text)).map(({ what }) => what);

/** What is different every time, whoever asks for what. */
const steady = ({ status, text }: Seen) =>
  `${status} ${text}`
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replace(/"(\w+_ms|latency)":[\d.]+/g, '$1');

/** What somebody has asked for is in the log of his own tenant, and that he was refused. */
const OWN_DEEDS = /^\/v1\/audit\/(events|stream)$/;

/** What is wrong with what an attacker was answered everywhere; nothing, if all is well. */
async function attack(attacker: Attacker): Promise<string[]> {
  const wrong: string[] = [];
  const forbidden = attacked.canaries.filter((canary) => !attacker.maySee(canary));
  for (const attempt of attempts) {
    const { method, isPublic } = attempt.operation;
    // Whose credential is refused is asked for nothing more.
    if (attacker.isDead && !attempt.isFirst) continue;
    const isEntitled = attacker.isEntitledTo?.(attempt) ?? false;
    if (isEntitled && method !== 'GET') continue;
    const seen = await sendAs(attacker, attempt, theirs);
    const leaks = among(forbidden, seen.headers + seen.text);
    if (leaks.length > 0) wrong.push(`${attempt.name} shows ${attacker.name}: ${leaks.join(', ')}`);
    if (seen.status >= 500) wrong.push(`${attempt.name} answers ${attacker.name} with ${seen.status}`);
    if (attacker.isDead && !isPublic && seen.status !== 401)
      wrong.push(`${attempt.name} answers ${attacker.name} with ${seen.status}`);
    if (attacker.isInside || isEntitled || attempt.kinds.size === 0 || OWN_DEEDS.test(attempt.operation.path))
      continue;
    const nothing = await sendAs(attacker, attempt, ofNothing);
    // A tenant may have only so many exports, whatever they are of.
    if ([seen.status, nothing.status].includes(429)) continue;
    if (steady(seen) !== steady(nothing))
      wrong.push(`${attempt.name} tells ${attacker.name} of ids: ${steady(seen)}\n  not ${steady(nothing)}`);
  }
  return wrong;
}

const attackAll = async (attackers: Attacker[]) => (await Promise.all(attackers.map(attack))).flat();

it('shows everything to those whom it belongs to', async () => {
  const colleague = await newPerson(world, tenant.admin.headers, 'member', 'colleague@own.example.com');
  const readers = {
    owner: owner.headers,
    administrators: tenant.admin.headers,
    everybody: colleague.headers,
  };
  for (const [audience, headers] of Object.entries(readers)) {
    let text = '';
    for (const attempt of attempts)
      if (attempt.operation.method === 'GET' || attempt.operation.path === '/v1/search') {
        const seen = await send(attempt, headers, theirs, theirs);
        text += seen.headers + seen.text;
      }
    const canaries = attacked.canaries.filter(({ seenBy }) => seenBy === audience);
    expect({ audience, seen: among(canaries, text).toSorted() }).toEqual({
      audience,
      seen: canaries.map(({ what }) => what).toSorted(),
    });
  }
  expect(attempts.length).toBeGreaterThan(200);
});

it('shows nothing to anybody outside, or with a credential that is no longer good, and is not changed by them', async () => {
  const attackers = [
    ...(await deadCredentials(world, tenant, owner)),
    ...(await outsiders(world, other.tenant, other.owner)),
  ];
  const before = await rowsOf(tenant.id);
  world.model.calls.length = world.model.embeddingCalls.length = 0;
  expect(await attackAll(attackers)).toEqual([]);
  expect(await attack(await twinOf(world, other.tenant, owner))).toEqual([]);

  expect(await rowsOf(tenant.id)).toEqual(before);
  const prompts = JSON.stringify([world.model.calls, world.model.embeddingCalls]);
  expect(among(attacked.canaries, prompts)).toEqual([]);
  // They do ask the model, and it reads what is theirs.
  expect(among(other.furnishing.canaries, JSON.stringify(world.model.calls))).toContain('shared text');
});

it('shows nothing that is private to colleagues, whatever their role', async () => {
  const attackers = await insiders(world, tenant);
  world.model.calls.length = world.model.embeddingCalls.length = 0;
  expect(await attackAll(attackers)).toEqual([]);
  const prompts = JSON.stringify([world.model.calls, world.model.embeddingCalls]);
  const secret = attacked.canaries.filter(({ seenBy }) => seenBy !== 'everybody');
  expect(among(secret, prompts)).toEqual([]);
});

it('writes nothing of it into its log, its metrics and its audit', async () => {
  const log = await world.logged();
  expect(log.split('\n').length).toBeGreaterThan(1_000);
  expect(among(attacked.canaries, log)).toEqual([]);
  const metrics = await (await world.app.fetch('/metrics', { headers: operator })).text();
  expect(metrics).toContain('navigator_');
  expect(among(attacked.canaries, metrics)).toEqual([]);
  expect(metrics).not.toContain(tenant.id);
  // But for what somebody gave as his reason: that is there to be read in it.
  const unspoken = attacked.canaries.filter(({ what }) => !what.startsWith('reason'));
  const { rows } = await world.app.db.owner.query('select * from audit_event where tenant_id = $1', [
    tenant.id,
  ]);
  expect(among(unspoken, JSON.stringify(rows))).toEqual([]);
});

/** All rows of a tenant, table by table, but for the logs, and mails that anybody may have sent to any address. */
async function rowsOf(tenantId: string): Promise<Record<string, string>> {
  const { rows: tables } = await world.app.db.owner.query(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname !~ '^(audit_|mail_outbox|password_reset)' order by 1`,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await world.app.db.owner.query(
      `select coalesce(string_agg(t::text, e'\\n' order by t::text), '') as text from ${name} t where tenant_id = $1`,
      [tenantId],
    );
    found[name] = rows[0].text;
  }
  return found;
}

it('has a request for every route there is', () => {
  expect(new Set(attempts.map(({ operation }) => nameOf(operation))).size).toBe(operations.length);
});
