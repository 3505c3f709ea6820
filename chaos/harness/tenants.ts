import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PasswordHasher } from '../../apps/api/src/auth/passwords/password-hasher.js';
import type { PostgresServer } from './postgres.js';
import { canaryWord, seeded } from './random.js';

export interface Tenant {
  name: string;
  tenantId: string;
  userId: string;
  email: string;
  password: string;
  apiKey: string;
  /** Words that stand in this tenant's documents and nowhere else. */
  canaries: string[];
  documentIds: string[];
  conversationId: string;
}

export const TENANTS = 4;
const DOCUMENTS_EACH = 2;
export const SERVICES = [
  'physiotherapy',
  'an emergency room visit',
  'a brand drug',
  'an MRI scan',
  'dental cleaning',
  'hospice care',
  'a hearing aid',
  'an ambulance ride',
];
const PROCESSED_LIMIT_MS = 90_000;

/** Four organisations with a person, an API key and documents each. The program must be running. */
export async function createTenants(postgres: PostgresServer, url: string): Promise<Tenant[]> {
  // As cheap as the product allows: it is not what is tested.
  const hasher = await PasswordHasher.create(
    { memoryKib: 7_168, passes: 1, parallelism: 1 },
    { execute: (call) => call(new AbortController().signal) },
  );
  const tenants: Tenant[] = [];
  for (let i = 0; i < TENANTS; i++) tenants.push(await createTenant(i, postgres, hasher));
  await Promise.all(tenants.map((tenant) => furnish(tenant, url)));
  return tenants;
}

async function createTenant(i: number, postgres: PostgresServer, hasher: PasswordHasher): Promise<Tenant> {
  const name = `tenant-${i}`;
  const random = seeded(7_000 + i);
  const tenant: Tenant = {
    name,
    tenantId: randomUUID(),
    userId: randomUUID(),
    email: `person@${name}.example.com`,
    password: `${randomUUID()}-passphrase`,
    apiKey: '',
    canaries: [canaryWord(random), canaryWord(random)],
    documentIds: [],
    conversationId: '',
  };
  await postgres.sql('insert into tenant (tenant_id, name) values ($1, $2)', [tenant.tenantId, name]);
  await postgres.sql(
    `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, $4, 'admin')`,
    [tenant.tenantId, tenant.userId, tenant.email, await hasher.hash(tenant.password)],
  );
  return tenant;
}

async function furnish(tenant: Tenant, url: string): Promise<void> {
  const login = { email: tenant.email, password: tenant.password };
  const { access_token } = await post<{ access_token: string }>(`${url}/v1/auth/login`, login);
  tenant.apiKey = (await post<{ key: string }>(`${url}/v1/api-keys`, { name: 'chaos' }, access_token)).key;
  for (let i = 0; i < DOCUMENTS_EACH; i++) {
    const { id } = await post<{ id: string }>(
      `${url}/v1/documents`,
      documentForm(planOf(tenant, i), `plan-${i}.md`),
      tenant.apiKey,
    );
    tenant.documentIds.push(id);
  }
  for (const id of tenant.documentIds) await untilReady(tenant, url, id);
  tenant.conversationId = (await post<{ id: string }>(`${url}/v1/conversations`, {}, tenant.apiKey)).id;
}

/** A plan in Markdown whose every sentence has a canary of its tenant. */
export function planOf({ name, canaries }: Tenant, number: number): string {
  const sections = SERVICES.map((service, i) => {
    const amount = 100 * (number + 1) + 7 * i;
    return `## ${service}\n\nThe ${canaries[i % canaries.length]} plan pays $${amount} for ${service}. A referral is needed within ${10 + i} days, says ${canaries[(i + 1) % canaries.length]}.`;
  });
  return `# Plan ${number} of ${name}\n\n${sections.join('\n\n')}\n`;
}

export function documentForm(content: string, filename: string): FormData {
  const form = new FormData();
  form.append('file', new Blob([content], { type: 'text/markdown' }), filename);
  return form;
}

async function untilReady({ apiKey }: Tenant, url: string, id: string): Promise<void> {
  const deadline = performance.now() + PROCESSED_LIMIT_MS;
  for (;;) {
    const response = await fetch(`${url}/v1/documents/${id}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    const document = (await response.json()) as { status: string; answerable: string; reason?: object };
    if (document.status === 'ready' && document.answerable === 'semantic') return;
    if (document.status === 'failed' || performance.now() > deadline)
      throw new Error(
        `A document is ${document.status} before the first fault: ${JSON.stringify(document.reason)}`,
      );
    await delay(100);
  }
}

async function post<T>(url: string, body: object, token?: string): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await fetch(url, {
    method: 'POST',
    body: isForm ? body : JSON.stringify(body),
    headers: {
      ...(isForm ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
