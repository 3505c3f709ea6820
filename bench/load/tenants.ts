import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '#libs/database';
import { formatApiKey, hashOfSecret, newApiKey } from '../../apps/api/src/auth/api-keys/api-key.js';

export interface Tenant {
  name: string;
  /** Or an access token: what follows `Bearer`. */
  apiKey: string;
  conversationIds: string[];
}

const SERVICES = [
  'physiotherapy',
  'an ambulance ride',
  'a hearing aid',
  'an MRI scan',
  'hospice care',
  'dental cleaning',
];
const SECTIONS = 20;
export const CONVERSATIONS = 50;

/** A tenant with an API key, made in the database as an owner would, and a document and conversations made by it. */
export async function furnishedTenant(databaseUrl: string, url: string, name: string): Promise<Tenant> {
  return furnish(url, name, await createTenant(databaseUrl, name));
}

/** A document and conversations, made with this key or access token. */
export async function furnish(url: string, name: string, apiKey: string): Promise<Tenant> {
  const request = async <T>(path: string, body?: FormData | string): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      body,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
    });
    if (response.ok) return (await response.json()) as T;
    // It may be shed, as on a busy machine; then it is told when to come back.
    if (response.status !== 503)
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    await delay(1_000 * Number(response.headers.get('retry-after')));
    return request(path, body);
  };
  const form = new FormData();
  form.append('file', new Blob([planText(name)]), `${name}.md`);
  const { id } = await request<{ id: string }>('/v1/documents', form);
  while ((await request<{ status: string }>(`/v1/documents/${id}`)).status !== 'ready') await delay(200);
  const conversationIds: string[] = [];
  for (let i = 0; i < CONVERSATIONS; i++)
    conversationIds.push((await request<{ id: string }>('/v1/conversations', '{}')).id);
  return { name, apiKey, conversationIds };
}

export function questionOf(number: number): string {
  return `How much does the plan pay for ${SERVICES[number % SERVICES.length]} in class ${number % SECTIONS} (${number})?`;
}

/** A tenant with one member, whose API key is returned, made in the database as an owner would. */
export async function createTenant(databaseUrl: string, name: string): Promise<string> {
  const [tenantId, userId] = [randomUUID(), randomUUID()];
  const key = newApiKey();
  await withClient(databaseUrl, async (owner) => {
    await owner.query(`insert into tenant (tenant_id, name) values ($1, $2)`, [tenantId, name]);
    await owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
      [tenantId, userId, `${name}@example.com`],
    );
    await owner.query(
      `insert into api_key (tenant_id, id, user_id, public_id, secret_hash, name, expires_at)
       values ($1, $2, $3, $4, $5, 'load', now() + interval '1 day')`,
      [tenantId, randomUUID(), userId, key.publicId, hashOfSecret(key.secret)],
    );
  });
  return formatApiKey(key);
}

function planText(name: string): string {
  const sections = Array.from({ length: SECTIONS }, (_, i) => {
    const lines = SERVICES.map(
      (service, j) =>
        `The plan of ${name} pays $${100 * (i + 1) + j} for ${service} in class ${i}, after a deductible of $${50 * j}. ` +
        `Prior authorization is ${(i + j) % 2 ? '' : 'not '}required.`,
    );
    return `## Benefits of class ${i}\n\n${lines.join('\n\n')}`;
  });
  return `# Plan of ${name}\n\n${sections.join('\n\n')}\n`;
}
