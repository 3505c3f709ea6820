import { randomUUID } from 'node:crypto';
import {
  type Audience,
  type Canary,
  type LeakApp,
  newCanary,
  newPerson,
  type Person,
  uploadAs,
} from './leak-world.js';
import { collectionOf, type Operation, sampleOf, type Schema } from './open-api.js';
import { eventually } from './operator.js';
import { PASSWORD } from './people.js';

type Headers = Record<string, string>;

/** A tenant's things: an id for each kind that routes ask for, and the texts that nobody else may ever see. */
export interface Furnishing {
  /** By the path of their collection: `/v1/documents`. */
  ids: Map<string, string>;
  canaries: Canary[];
}

/** Ids of the installation and not of a tenant, by the path of their collection. */
export const OF_THE_INSTALLATION = new Set([
  '/v1/admin/token-keys',
  '/v1/admin/resilience',
  '/v1/admin/faults',
]);

/** What ids in queries and bodies are ids of, by the name of the member that holds them. */
const KINDS: Record<string, string> = {
  document_id: '/v1/documents',
  document_ids: '/v1/documents',
  ids: '/v1/documents',
  parent_id: '/v1/documents',
  target_id: '/v1/documents',
  /** Of somebody who is granted something. */
  id: '/v1/users',
  user_id: '/v1/users',
  heir_id: '/v1/users',
  user_ids: '/v1/users',
  actor_id: '/v1/users',
  group_id: '/v1/groups',
  group_ids: '/v1/groups',
  tenant_id: '/v1/tenants',
  request_id: 'requests',
};

/** What the parameter of a path is an id of. */
export function kindInPath(path: string, parameter: string): string {
  const collection = collectionOf(path, parameter);
  return collection === '/v1/groups/{id}/members' ? '/v1/users' : collection;
}

export const isIdName = (name: string) => /(^|_)ids?$|Id$/.test(name);

/** The kind of what a member of a query or a body names; fails for one that this world does not know. */
export function kindOf(name: string): string {
  const kind = KINDS[name];
  if (!kind) throw new Error(`Tell the leak test (KINDS) of what "${name}" is an id`);
  return kind;
}

/** The words that questions and searches use; they are in every document of everybody. */
export const WORDS = 'What is the annual deductible of the plan?';
const SHARED_WORDS = {
  collection: 'plans',
  tags: 'common',
  networks: '127.0.0.0/8',
  allowed_models: 'compatible:fake',
  password: PASSWORD,
  current_password: PASSWORD,
  new_password: PASSWORD,
};

/** Furnishes a tenant: what belongs to one member of it, what its administrator runs, what all of it shares. */
export async function furnish(
  world: LeakApp,
  operations: Operation[],
  tenant: { id: string; admin: Person | { id: string; email: string; headers: Headers } },
  owner: Person,
): Promise<Furnishing> {
  const canaries: Canary[] = [];
  const ids = new Map<string, string>();
  const canary = (what: string, seenBy: Audience = 'owner') => {
    canaries.push(newCanary(what, seenBy));
    return canaries.at(-1)!.text;
  };
  const maker = new Maker(world, ids, canary);
  await maker.documents(owner.headers, tenant.admin.headers);
  await maker.conversation(owner.headers);
  await maker.credentials(owner);
  await maker.administration(tenant.id, tenant.admin.headers, owner.id);
  await maker.erasure(tenant.admin.headers);
  for (const path of unknownCollections(operations, ids))
    await maker.byItself(path, operations, tenant.admin.headers);
  await maker.records(tenant.admin.headers);
  return { ids, canaries };
}

class Maker {
  constructor(
    private readonly world: LeakApp,
    private readonly ids: Map<string, string>,
    private readonly canary: (what: string, seenBy?: Audience) => string,
  ) {}

  async documents(owner: Headers, admin: Headers): Promise<void> {
    const { collection } = SHARED_WORDS;
    const text = `# Deductible\n\nThe annual deductible of the ${this.canary('text')} plan is $500 per person.\n`;
    const fields = { title: this.canary('title'), collection, tags: `common,${this.canary('tag')}` };
    const id = await uploadAs(this.world, owner, `${this.canary('file name')}.md`, text, fields);
    this.ids.set('/v1/documents', id);
    this.ids.set('/v1/documents/{id}/passages', await this.first(`/v1/documents/${id}/passages`, owner));
    const shared = `# Deductible\n\nThe annual deductible of the ${this.canary('shared text', 'everybody')} plan is $700.\n`;
    const ofItsOwn = `collection ${randomUUID()}`;
    this.ids.set('/v1/collections', ofItsOwn);
    const second = await uploadAs(this.world, admin, 'shared.md', shared, {
      ...fields,
      title: 'Shared',
      tags: 'common',
      collection: ofItsOwn,
      visibility: 'tenant',
    });

    this.ids.set('/v1/documents, another', second);

    const body = new FormData();
    body.append('collection', this.canary('collection of an import', 'managers'));
    body.append('file', new File(['# Care\n\nA plan.\n'], `${this.canary('file name in an import')}.md`));
    const sent = await this.world.app.fetch('/v1/imports', { method: 'POST', body, headers: owner });
    const imported = (await sent.json()) as { id: string };
    this.ids.set('/v1/imports', imported.id);
    await eventually(
      () => this.get(`/v1/imports/${imported.id}`, owner),
      (seen) => seen.finished_at !== null && seen.percent === 100,
    );
  }

  async conversation(owner: Headers): Promise<void> {
    const title = this.canary('title of a conversation');
    const { id } = await this.post('/v1/conversations', owner, { title });
    this.ids.set('/v1/conversations', id);
    const question = `${WORDS} Tell me, ${this.canary('question')}.`;
    const answer = await this.post(`/v1/conversations/${id}/questions`, owner, { question });
    this.ids.set('/v1/conversations/{id}/questions', answer.id);
  }

  async credentials(owner: Person): Promise<void> {
    const { id } = await this.post('/v1/api-keys', owner.headers, { name: this.canary('name of a key') });
    this.ids.set('/v1/api-keys', id);
    this.ids.set('/v1/auth/sessions', await this.first('/v1/auth/sessions', owner.headers));
  }

  async administration(tenantId: string, admin: Headers, userId: string): Promise<void> {
    for (const path of ['/v1/tenants', '/v1/admin/ingestion/tenants']) this.ids.set(path, tenantId);
    this.ids.set('/v1/users', userId);
    const email = `${this.canary('invited e-mail', 'administrators')}@example.com`;
    this.ids.set('/v1/invitations', (await this.post('/v1/invitations', admin, { email })).id);
    const hook = await this.post('/v1/webhooks', admin, {
      url: `${this.world.webhookUrl}/${this.canary('address of a webhook', 'administrators')}`,
      description: this.canary('description of a webhook', 'administrators'),
    });
    this.ids.set('/v1/webhooks', hook.id);
    await this.world.people.send('POST', `/v1/webhooks/${hook.id}/test`, admin);
    const deliveries = `/v1/webhooks/${hook.id}/deliveries`;
    const delivered = await eventually(
      async () => (await this.get(deliveries, admin)).items[0],
      (item) => item?.state === 'delivered',
    );
    this.ids.set('/v1/webhooks/{id}/deliveries', delivered.id);
    const reindex = {
      scope: { collection: 'none of this name' },
      reason: this.canary('reason of a reindex', 'administrators'),
    };
    this.ids.set('/v1/reindexes', (await this.post('/v1/reindexes', admin, reindex)).id);
  }

  /** Of somebody whom nobody asks for. */
  async erasure(admin: Headers): Promise<void> {
    const { id } = await newPerson(this.world, admin, 'member', `${randomUUID()}@example.com`);
    const request = { user_id: id, shared_documents: 'transfer', grace_days: 30, password: PASSWORD };
    this.ids.set('/v1/privacy/erasures', (await this.post('/v1/privacy/erasures', admin, request)).id);
  }

  /** What this world was not told of is made by the POST of its own collection, with a canary wherever text goes. */
  async byItself(path: string, operations: Operation[], admin: Headers): Promise<void> {
    const post = operations.find((each) => each.method === 'POST' && each.path === path);
    const schema = post?.bodies['application/json'];
    if (!schema) throw new Error(`Tell the leak test (Maker) how something is made at ${path}`);
    const textFor = (name: string, member: Schema) => {
      if (member.format === 'uuid' || isIdName(name)) return this.ids.get(kindOf(name))!;
      return (
        textOfFormat(name, member) ??
        this.canary(`${name} at ${path}`, path === '/v1/groups' ? 'managers' : 'administrators')
      );
    };
    const url = path.replace(/\{(\w+)\}/g, (_, name: string) => this.ids.get(kindInPath(path, name))!);
    const { id } = await this.post(url, admin, sampleOf(schema, textFor));
    this.ids.set(path, id);
  }

  /** Last, so that there are some. */
  async records(admin: Headers): Promise<void> {
    const { items } = await this.get('/v1/audit/events?category=data.write', admin);
    this.ids.set('/v1/audit/events', items[0].id);
    this.ids.set('requests', items[0].request_id);
  }

  async first(path: string, headers: Headers): Promise<string> {
    const { items } = await this.get(path, headers);
    if (!items[0]) throw new Error(`There is nothing at ${path}`);
    return items[0].id;
  }

  private async get(path: string, headers: Headers) {
    return (await this.world.people.send('GET', path, headers)).body;
  }

  private async post(path: string, headers: Headers, json: unknown) {
    const { status, body } = await this.world.people.send('POST', path, headers, json);
    if (status >= 300) throw new Error(`POST ${path} was answered with ${status} ${JSON.stringify(body)}`);
    return body;
  }
}

/** Collections whose items routes ask for by id, and of which there is nothing yet; the outer ones first. */
function unknownCollections(operations: Operation[], ids: Map<string, string>): string[] {
  const paths = operations.flatMap(({ path, parameters }) =>
    parameters.filter((each) => each.in === 'path').map(({ name }) => kindInPath(path, name)),
  );
  return [...new Set(paths)]
    .filter((path) => !ids.has(path) && !OF_THE_INSTALLATION.has(path) && path !== '/v1/audit/events')
    .toSorted((one, other) => one.length - other.length);
}

/** A good text where not every text is one; undefined where any is. */
export function textOfFormat(
  name: string,
  { format, pattern, maxLength = Infinity }: Schema,
): string | undefined {
  if (name in SHARED_WORDS) return SHARED_WORDS[name as keyof typeof SHARED_WORDS];
  switch (format) {
    case 'uuid':
      return randomUUID();
    case 'email':
      return `${randomUUID()}@example.com`;
    case 'uri':
      return 'http://127.0.0.1:1/x';
    case 'date-time':
      return new Date().toISOString();
    default:
      if (pattern?.includes('\\d{6}')) return '000000';
      if (pattern) return `a${randomUUID()}`.slice(0, Math.min(maxLength, 37));
      return undefined;
  }
}
