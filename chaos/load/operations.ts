import { randomUUID } from 'node:crypto';
import { pick } from '../harness/random.js';
import { documentForm, SERVICES, type Tenant } from '../harness/tenants.js';
import type { Call } from './client.js';

type Random = () => number;
type Make = (tenant: Tenant, random: Random) => Call;

/** What the four tenants do, with the share of each in the load. */
const MIX: readonly [share: number, make: Make][] = [
  [0.24, newQuestion],
  [0.16, repeatedQuestion],
  [0.1, streamedQuestion],
  [0.16, search],
  [0.04, upload],
  [0.14, writeConversation],
  [0.08, listDocuments],
  [0.08, listConversations],
];

export function anyCall(tenant: Tenant, random: Random): Call {
  let at = random();
  for (const [share, make] of MIX) {
    at -= share;
    if (at < 0) return make(tenant, random);
  }
  return listDocuments(tenant);
}

/** Asked by nobody before, so that no cache has its answer. */
export function newQuestion(tenant: Tenant, random: Random): Call {
  const text = `${question(tenant, random)} (case ${randomUUID()})`;
  return ask('question', tenant, text, pick(random, tenant.documentIds));
}

const REPEATED_SERVICES = SERVICES.slice(0, 2);

/** One of few, which a cache has after `firstQuestions`. */
export function repeatedQuestion(tenant: Tenant, random: Random): Call {
  return repeated(tenant, pick(random, REPEATED_SERVICES));
}

/** All that will be asked again and again. */
export const firstQuestions = (tenants: readonly Tenant[]): Call[] =>
  tenants.flatMap((tenant) => REPEATED_SERVICES.map((service) => repeated(tenant, service)));

const repeated = (tenant: Tenant, service: string) =>
  ask('repeated', tenant, questionAbout(tenant, service), tenant.documentIds[0]!);

export function streamedQuestion(tenant: Tenant, random: Random): Call {
  return { ...newQuestion(tenant, random), kind: 'stream', stream: true };
}

export function search(tenant: Tenant, random: Random): Call {
  return {
    kind: 'search',
    tenant,
    path: '/v1/search',
    json: { query: `${pick(random, SERVICES)} ${randomUUID().slice(0, 8)}`, limit: 5 },
  };
}

/** A small document that is told apart by its key, which stands in it. */
export function upload(tenant: Tenant): Call {
  const key = randomUUID();
  const text = `# Note\n\nThe ${tenant.canaries[0]} note ${key} says that glasses cost $${key.length}.\n`;
  return {
    kind: 'upload',
    tenant,
    path: '/v1/documents',
    method: 'POST',
    form: documentForm(text, `note-${key}.md`),
    idempotencyKey: key,
  };
}

/** Its title is its key, so that what it did can be counted. */
export function writeConversation(tenant: Tenant): Call {
  const key = randomUUID();
  return {
    kind: 'conversation',
    tenant,
    path: '/v1/conversations',
    json: { title: key },
    idempotencyKey: key,
  };
}

export function listDocuments(tenant: Tenant): Call {
  return { kind: 'documents', tenant, path: '/v1/documents?limit=50' };
}

export function listConversations(tenant: Tenant): Call {
  return { kind: 'conversations', tenant, path: '/v1/conversations?limit=20' };
}

function ask(kind: string, tenant: Tenant, text: string, documentId: string): Call {
  return {
    kind,
    tenant,
    path: `/v1/conversations/${tenant.conversationId}/questions`,
    json: { question: text, document_ids: [documentId] },
  };
}

const question = (tenant: Tenant, random: Random) => questionAbout(tenant, pick(random, SERVICES));
const questionAbout = ({ canaries }: Tenant, service: string) =>
  `How much does the ${canaries[0]} plan pay for ${service}?`;

/** Kinds whose effect must be there exactly once after it was acknowledged. */
export const WRITES: ReadonlySet<string> = new Set(['upload', 'conversation']);
export const QUESTIONS: ReadonlySet<string> = new Set(['question', 'repeated', 'stream', 'probe', 'same']);
export const READS: ReadonlySet<string> = new Set(['search', 'documents', 'conversations']);
