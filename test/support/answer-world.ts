import type { TenantRules } from '#libs/auth';
import { Caches } from '#libs/cache';
import type { TenantDb } from '#libs/database';
import { PolicyRegistry } from '#libs/resilience';
import type { AnswerEvent, AnswerRequest } from '../../apps/api/src/rag/answering/answer.js';
import { AnswerCache } from '../../apps/api/src/rag/answering/answer-cache.js';
import { AnswerService, type PassageRetriever } from '../../apps/api/src/rag/answering/answer.service.js';
import type { Withdrawals } from '../../apps/api/src/rag/answering/withdrawals.js';
import type { ChatEvent, ChatModel, ChatRequest } from '../../apps/api/src/rag/providers/provider.js';
import type { RetrievedPassage } from '../../apps/api/src/rag/retrieval/retriever.js';

export const HIT: RetrievedPassage = {
  id: 'passage-1',
  documentId: 'document-1',
  documentTitle: 'Gold Plan',
  documentVersion: 3,
  ordinal: 0,
  kind: 'prose',
  text: 'The overall deductible is $500 per person. Referrals are needed for specialists.',
  headingPath: ['Costs'],
  page: 2,
  box: null,
  row: null,
  score: 0.9,
  lexicalScore: 0.9,
  semanticScore: 0.9,
};
export const GOOD =
  'The overall deductible is "$500 per person" [1]. Referrals are "needed for specialists" [1].';
export const QUESTION = 'What is the overall deductible?';
export const never = new AbortController().signal;

export const request: AnswerRequest = {
  reader: { tenantId: 'tenant-1', userId: 'user-1' },
  question: QUESTION,
};

export type Script = string | (string | Error | 'hang')[];

/** A model that says the same at every call, or what `next` holds for it. */
export class FakeModel implements ChatModel {
  readonly asked: ChatRequest[] = [];
  constructor(
    readonly name: string,
    public says: Script,
  ) {}

  async *stream(asked: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
    this.asked.push(asked);
    for (const step of [this.says].flat()) {
      if (step === 'hang')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      if (step instanceof Error) throw step;
      yield { type: 'text', text: step };
    }
    yield { type: 'end', usage: { inputTokens: 10, outputTokens: 5 } };
  }
}

export const NONE_DELETED = { hasAny: async () => false };
const UNLIMITED = { reserve: async () => ({ settle: async () => {} }) };

export interface World {
  models?: FakeModel[];
  scope?: object;
  retriever?: PassageRetriever;
  caches?: Caches;
  modelsTimeoutMs?: number;
  db?: TenantDb;
  policies?: PolicyRegistry;
  deleted?: typeof NONE_DELETED;
  withdrawals?: Withdrawals;
  /** What the tenant has decided. */
  rules?: TenantRules;
}

export const READY = { answerable: 1, pending: [], failed: [], unknown: [], fingerprint: '1:42' };
export const finds = (hits: RetrievedPassage[], mode: 'hybrid' | 'lexical' = 'hybrid'): PassageRetriever => ({
  retrieve: async () => ({ hits, mode }),
});

export function policiesOf(models: readonly FakeModel[]): PolicyRegistry {
  const policies = new PolicyRegistry();
  policies.define('postgres', { attemptTimeoutMs: 5_000 });
  for (const { name } of models)
    policies.define(`model:${name}`, { attemptTimeoutMs: 5_000, bulkhead: { concurrency: 5 } });
  return policies;
}

export function serviceIn({
  models = [],
  scope,
  retriever = finds([HIT]),
  caches = Caches.inMemory(),
  modelsTimeoutMs = 60_000,
  db,
  policies = policiesOf(models),
  deleted = NONE_DELETED,
  withdrawals,
  rules = {},
}: World) {
  const fakeDb = {
    read: (_tenant: string, work: (tx: unknown) => unknown) =>
      work({ query: async () => [{ ...READY, ...scope }] }),
  } as unknown as TenantDb;
  const names = models.map(({ name }) => name);
  const cache = AnswerCache.on(caches, { answerTtlSeconds: 600, staleAnswerSeconds: 86_400 }, names);
  const options = { passages: 20, bestPassages: 2, maxTokens: 256, modelsTimeoutMs };
  const rulesSource = { of: () => Promise.resolve(rules) };
  const caching = [cache, deleted, options, rulesSource, withdrawals] as const;
  return new AnswerService(db ?? fakeDb, retriever, models, policies, UNLIMITED, ...caching);
}

export async function collect(stream: AsyncIterable<AnswerEvent>) {
  const events: AnswerEvent[] = [];
  let error: unknown;
  try {
    for await (const event of stream) events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  return { events, error, text, types: [...new Set(events.map(({ type }) => type))] };
}

export const answerIn = (world: World, signal = never) => serviceIn(world).answer(request, signal);
