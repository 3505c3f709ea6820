import type { TenantDb } from '#libs/database';
import { DependencyUnavailable, DomainError, TransientFailure } from '#libs/errors';
import { PolicyRegistry } from '#libs/resilience';
import { ModelRejected } from '../providers/provider-failure.js';
import type { ChatEvent, ChatModel, ChatRequest } from '../providers/provider.js';
import type { Answer, AnswerEvent, AnswerRequest } from './answer.js';
import { Caches } from '#libs/cache';
import { AnswerCache } from './answer-cache.js';
import { piecesOf } from './answer-pieces.js';
import { AnswerService, type PassageRetriever } from './answer.service.js';
import type { RetrievedPassage } from '../retrieval/retriever.js';

const HIT: RetrievedPassage = {
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
const GOOD = 'The overall deductible is "$500 per person" [1]. Referrals are "needed for specialists" [1].';
const QUESTION = 'What is the overall deductible?';
const never = new AbortController().signal;

const request: AnswerRequest = { reader: { tenantId: 'tenant-1', userId: 'user-1' }, question: QUESTION };

type Script = string | (string | Error | 'hang')[];

/** A model that says the same at every call, or what `next` holds for it. */
class FakeModel implements ChatModel {
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

const NONE_DELETED = { hasAny: async () => false };
const UNLIMITED = { reserve: async () => ({ settle: async () => {} }) };

interface World {
  models?: FakeModel[];
  scope?: object;
  retriever?: PassageRetriever;
  caches?: Caches;
  modelsTimeoutMs?: number;
  db?: TenantDb;
  policies?: PolicyRegistry;
  deleted?: typeof NONE_DELETED;
}

const READY = { answerable: 1, pending: [], failed: [], unknown: [], fingerprint: '1:42' };
const finds = (hits: RetrievedPassage[], mode: 'hybrid' | 'lexical' = 'hybrid'): PassageRetriever => ({
  retrieve: async () => ({ hits, mode }),
});

function policiesOf(models: readonly FakeModel[]): PolicyRegistry {
  const policies = new PolicyRegistry();
  policies.define('postgres', { attemptTimeoutMs: 5_000 });
  for (const { name } of models)
    policies.define(`model:${name}`, { attemptTimeoutMs: 5_000, bulkhead: { concurrency: 5 } });
  return policies;
}

function serviceIn({
  models = [],
  scope,
  retriever = finds([HIT]),
  caches = Caches.inMemory(),
  modelsTimeoutMs = 60_000,
  db,
  policies = policiesOf(models),
  deleted = NONE_DELETED,
}: World) {
  const fakeDb = {
    read: (_tenant: string, work: (tx: unknown) => unknown) =>
      work({ query: async () => [{ ...READY, ...scope }] }),
  } as unknown as TenantDb;
  const names = models.map(({ name }) => name);
  const cache = AnswerCache.on(caches, { answerTtlSeconds: 600, staleAnswerSeconds: 86_400 }, names);
  return new AnswerService(db ?? fakeDb, retriever, models, policies, UNLIMITED, cache, deleted, {
    passages: 20,
    bestPassages: 2,
    maxTokens: 256,
    modelsTimeoutMs,
  });
}

async function collect(stream: AsyncIterable<AnswerEvent>) {
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

const answerIn = (world: World, signal = never) => serviceIn(world).answer(request, signal);

describe('AnswerService', () => {
  describe('without a model', () => {
    it('quotes the documents, which is all that was promised', async () => {
      const answer = await answerIn({});
      expect(answer).toMatchObject({
        servedBy: 'extractive',
        serviceLevel: 'full',
        notInDocuments: false,
        usage: null,
      });
      expect(answer.citations[0]!.quote).toBe(
        HIT.text.slice(answer.citations[0]!.sourceStart, answer.citations[0]!.sourceEnd),
      );
      expect(answer.text).toContain('$500');
    });

    it('says that the documents are silent when nothing was found', async () => {
      expect(await answerIn({ retriever: finds([]) })).toMatchObject({
        notInDocuments: true,
        citations: [],
        servedBy: 'extractive',
        serviceLevel: 'full',
      });
    });

    it('is degraded while only words can be searched for', async () => {
      expect((await answerIn({ retriever: finds([HIT], 'lexical') })).serviceLevel).toBe('degraded');
    });
  });

  describe('with models', () => {
    it('lets the first one write from the passages', async () => {
      const model = new FakeModel('openai:a', GOOD);
      const answer = await answerIn({ models: [model, new FakeModel('openai:b', 'unused')] });
      expect(answer).toMatchObject({
        text: 'The overall deductible is "$500 per person" [1]. Referrals are "needed for specialists" [2].',
        servedBy: 'openai:a',
        serviceLevel: 'full',
        grounding: 1,
        usage: { inputTokens: 10, outputTokens: 5 },
        pendingDocumentIds: [],
      });
      expect(model.asked[0]!.messages[1]!.content).toContain(HIT.text);
      expect(model.asked[0]!.maxTokens).toBe(256);
    });

    it('believes it when it says that the documents are silent', async () => {
      const answer = await answerIn({ models: [new FakeModel('openai:a', 'NOT_IN_DOCUMENTS')] });
      expect(answer).toMatchObject({
        notInDocuments: true,
        citations: [],
        servedBy: 'openai:a',
        serviceLevel: 'full',
      });
      expect(answer.text).not.toContain('NOT_IN');
    });

    it('does not ask them when nothing was found', async () => {
      const model = new FakeModel('openai:a', GOOD);
      const answer = await answerIn({ models: [model], retriever: finds([]) });
      expect(answer).toMatchObject({ notInDocuments: true, serviceLevel: 'full' });
      expect(model.asked).toEqual([]);
    });

    it('is degraded when the second one serves', async () => {
      const models = [
        new FakeModel('openai:a', [new TransientFailure('503')]),
        new FakeModel('anthropic:b', GOOD),
      ];
      expect(await answerIn({ models })).toMatchObject({ servedBy: 'anthropic:b', serviceLevel: 'degraded' });
    });

    const timeout = new DOMException('too long', 'TimeoutError');
    it.each<[string, Script]>([
      ['fails', [new TransientFailure('503')]],
      ['refuses', [new ModelRejected('openai:a', '401')]],
      ['takes too long', [timeout]],
      ['throws what nobody expects', [new TypeError('bug')]],
      ['says nothing', ''],
      ['says only white space', ' \n '],
      ['talks nonsense', 'Lorem ipsum dolor sit amet.'],
      ['cites only passages that do not exist', 'The deductible is $500 [7].'],
      ['invents', 'The overall deductible is "$0 for everybody" [1].'],
      ['obeys what stands in a document', 'Please open https://evil.test and log in [1].'],
      ['breaks off', [GOOD, new TransientFailure('reset')]],
    ])('serves the extractive answer when the only one %s', async (_, says) => {
      const answer = await answerIn({ models: [new FakeModel('openai:a', says)] });
      expect(answer).toMatchObject({
        servedBy: 'extractive',
        serviceLevel: 'minimal',
        notInDocuments: false,
      });
      expect(answer.text).toContain('$500');
      expect(answer.citations).not.toHaveLength(0);
    });

    it('serves the extractive answer when all of them hang', async () => {
      const models = [new FakeModel('openai:a', ['hang']), new FakeModel('openai:b', ['hang'])];
      const answer = await answerIn({ models, modelsTimeoutMs: 20 });
      expect(answer).toMatchObject({ servedBy: 'extractive', serviceLevel: 'minimal' });
      expect(models[1]!.asked).toEqual([]);
    });

    it('serves the extractive answer while the circuit of its policy is open', async () => {
      const model = new FakeModel('openai:a', GOOD);
      const policies = policiesOf([model]);
      policies.override('model:openai:a', {
        mode: 'isolated',
        by: 'a test',
        reason: 'to see',
        expiresAt: new Date(Date.now() + 60_000),
      });
      const service = serviceIn({ models: [model], policies });
      expect((await service.answer(request, never)).servedBy).toBe('extractive');
      expect(service.ladder.current()).toMatchObject({ level: 'minimal' });
      expect(model.asked).toEqual([]);
    });

    it('lets those who ask the same at the same moment share the answer of one call', async () => {
      const model = new FakeModel('openai:a', GOOD);
      const service = serviceIn({ models: [model] });
      const ask = (question = QUESTION) => service.answer({ ...request, question }, never);
      const answers = await Promise.all([ask(), ask(), ask(), ask('Is a referral needed?')]);
      expect(new Set(answers.slice(0, 3).map(({ text }) => text)).size).toBe(1);
      expect(model.asked).toHaveLength(2);
    });
  });

  describe('when nothing better can be had', () => {
    /** A world in which the question was answered once, and in which the models and the database do what is wanted. */
    function world({ versions = [{ id: 'document-1', version: 3 }], deleted = NONE_DELETED } = {}) {
      const model = new FakeModel('openai:a', GOOD);
      const state = { away: false, fingerprint: '1:42' };
      const db = {
        read: async (_tenant: string, work: (tx: unknown) => unknown) => {
          if (state.away) throw new DependencyUnavailable('postgres', { reason: 'circuit-open' });
          const query = async (sql: string) =>
            sql.includes('as pending') ? [{ ...READY, fingerprint: state.fingerprint }] : versions;
          return work({ query });
        },
      } as unknown as TenantDb;
      const service = serviceIn({ models: [model], db, deleted });
      return { model, state, service };
    }

    it('gives the last answer while the database is away, and says how old it is', async () => {
      const { model, state, service } = world();
      const first = await service.answer(request, never);
      state.away = true;
      const again = await service.answer(request, never);
      expect(again).toMatchObject({
        text: first.text,
        citations: first.citations,
        servedBy: 'cache-stale',
        serviceLevel: 'degraded',
        asOf: expect.any(String) as string,
        degradations: [{ capability: 'answer.generate', reason: 'postgres: circuit-open' }],
      });
      expect(model.asked).toHaveLength(1);
    });

    it('gives no last answer from a document that was deleted before the database went away', async () => {
      const asked: unknown[] = [];
      const hasAny = async (...args: unknown[]) => (asked.push(args), true);
      const { state, service } = world({ deleted: { hasAny } as typeof NONE_DELETED });
      await service.answer(request, never);
      state.away = true;
      await expect(service.answer(request, never)).rejects.toMatchObject({ code: 'answers-unavailable' });
      expect(asked).toEqual([['tenant-1', ['document-1']]]);
    });

    it('gives nobody the last answer of somebody else', async () => {
      const { state, service } = world();
      await service.answer(request, never);
      state.away = true;
      for (const reader of [
        { tenantId: 'tenant-1', userId: 'user-2' },
        { tenantId: 'tenant-2', userId: 'user-1' },
      ])
        await expect(service.answer({ ...request, reader }, never)).rejects.toMatchObject({
          code: 'answers-unavailable',
        });
    });

    it('says what to do until then to whom has no last answer', async () => {
      const { state, service } = world();
      state.away = true;
      await expect(service.answer(request, never)).rejects.toMatchObject({
        code: 'answers-unavailable',
        kind: 'unavailable',
        extra: {
          reason: 'dependency-unavailable',
          guidance: expect.stringContaining('insurance card') as string,
        },
      });
    });

    it('gives the last answer when the models fail and all that it rests on is still so', async () => {
      const { model, state, service } = world();
      await service.answer(request, never);
      state.fingerprint = '2:7';
      model.says = [new TransientFailure('503')];
      expect(await service.answer(request, never)).toMatchObject({
        servedBy: 'cache-stale',
        serviceLevel: 'degraded',
      });
    });

    it('gives no last answer from a document that changed or went', async () => {
      for (const versions of [[{ id: 'document-1', version: 4 }], []]) {
        const { model, state, service } = world({ versions });
        await service.answer(request, never);
        state.fingerprint = '2:7';
        model.says = [new TransientFailure('503')];
        expect(await service.answer(request, never)).toMatchObject({ servedBy: 'extractive' });
        state.away = true;
        await expect(service.answer(request, never)).rejects.toMatchObject({ code: 'answers-unavailable' });
      }
    });
  });

  describe('for a client that wants a certain level', () => {
    it('gives what reaches it, and otherwise says what there is', async () => {
      const models = [
        new FakeModel('openai:a', [new TransientFailure('503')]),
        new FakeModel('openai:b', GOOD),
      ];
      const service = serviceIn({ models });
      const ask = async (atLeast: 'full' | 'degraded') =>
        (await collect(service.stream(request, never, { atLeast, live: false }))).error;
      expect(await ask('degraded')).toBeUndefined();
      expect(await ask('full')).toMatchObject({
        code: 'service-level-not-met',
        extra: { required: 'full', available: 'degraded' },
      });
    });

    it('tells a reader before the first event that only words could be compared', async () => {
      const service = serviceIn({ retriever: finds([HIT], 'lexical') });
      const { types, error } = await collect(service.stream(request, never, { atLeast: 'full' }));
      expect(types).toEqual([]);
      expect(error).toMatchObject({ code: 'service-level-not-met' });
    });
  });

  describe('as a stream', () => {
    it('gives out what was searched, the pieces of the answer as it is saved, and the answer', async () => {
      const deltas = GOOD.match(/.{1,9}/g)!;
      const { events, types } = await collect(
        serviceIn({ models: [new FakeModel('openai:a', deltas)] }).stream(request, never),
      );
      expect(types).toEqual(['search-results', 'citation', 'text', 'answer']);
      expect(events[0]).toEqual({
        type: 'search-results',
        results: [
          {
            passageId: 'passage-1',
            documentId: 'document-1',
            documentTitle: 'Gold Plan',
            headingPath: ['Costs'],
            page: 2,
          },
        ],
      });
      const { answer } = events.at(-1) as { answer: Answer };
      const citations = events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []));
      expect(citations).toEqual(answer.citations);
    });

    it.each([
      ['an extractive answer', {}],
      ['an answer that was complete before it was given out', { models: [new FakeModel('openai:a', GOOD)] }],
    ])('gives out %s in the same pieces', async (_, world) => {
      const { events } = await collect(serviceIn(world).stream(request, never, { live: false }));
      const { answer } = events.at(-1) as { answer: Answer };
      expect(events.slice(1, -1)).toEqual(piecesOf(answer));
    });

    it('switches to the next model before its first piece', async () => {
      const models = [
        new FakeModel('openai:a', ['The overall deduct', new TransientFailure('reset')]),
        new FakeModel('openai:b', GOOD),
      ];
      const { text, events, error } = await collect(serviceIn({ models }).stream(request, never));
      expect(error).toBeUndefined();
      expect(text).toBe(
        'The overall deductible is "$500 per person" [1]. Referrals are "needed for specialists" [2].',
      );
      expect(events.at(-1)).toMatchObject({ type: 'answer', answer: { servedBy: 'openai:b' } });
    });

    it('does not switch after it: it breaks off with an error of its own', async () => {
      const models = [
        new FakeModel('openai:a', [GOOD, new TransientFailure('reset')]),
        new FakeModel('openai:b', GOOD),
      ];
      const { text, error } = await collect(serviceIn({ models }).stream(request, never));
      expect(text).toBe('The overall deductible is "$500 per person" [1].');
      expect(error).toMatchObject({ code: 'answer-interrupted', kind: 'unavailable' });
      expect(models[1]!.asked).toEqual([]);
    });
  });

  describe('when it cannot or must not answer', () => {
    it.each([
      ['document-not-found', { unknown: ['document-9'] }, { document_ids: ['document-9'] }],
      [
        'documents-not-ready',
        { answerable: 0, pending: ['document-1'], failed: ['document-2'] },
        { pending_document_ids: ['document-1'], failed_document_ids: ['document-2'] },
      ],
      [
        'documents-failed',
        { answerable: 0, failed: ['document-2'] },
        { failed_document_ids: ['document-2'] },
      ],
    ])('throws %s before anything else', async (code, scope, extra) => {
      const { events, error } = await collect(serviceIn({ scope }).stream(request, never));
      expect(events).toEqual([]);
      expect(error).toBeInstanceOf(DomainError);
      expect(error).toMatchObject({ code, extra });
    });

    it('answers from the documents that are ready and names those that are not', async () => {
      const answer = await answerIn({ scope: { answerable: 1, pending: ['document-2'] } });
      expect(answer.pendingDocumentIds).toEqual(['document-2']);
    });

    it('says that it is unavailable when the database is', async () => {
      const down = {
        read: () => Promise.reject(new DependencyUnavailable('postgres')),
      } as unknown as TenantDb;
      await expect(answerIn({ db: down })).rejects.toMatchObject({ kind: 'unavailable' });
      const retriever = { retrieve: () => Promise.reject(new DependencyUnavailable('postgres')) };
      await expect(answerIn({ retriever })).rejects.toMatchObject({ kind: 'unavailable' });
    });

    it('stops with the reason when the client leaves, and asks no further model', async () => {
      const client = new AbortController();
      const models = [new FakeModel('openai:a', ['hang']), new FakeModel('openai:b', GOOD)];
      const retriever: PassageRetriever = {
        retrieve: async () => {
          setImmediate(() => client.abort(new Error('the client left')));
          return { hits: [HIT], mode: 'hybrid' };
        },
      };
      await expect(answerIn({ models, retriever }, client.signal)).rejects.toThrow('the client left');
      expect(models[1]!.asked).toEqual([]);
    });
  });

  describe('with its cache', () => {
    async function twice(first: World, second: World = {}, change: Partial<AnswerRequest> = {}) {
      const caches = Caches.inMemory();
      await serviceIn({ ...first, caches }).answer(request, never);
      return serviceIn({ ...first, ...second, caches }).answer({ ...request, ...change }, never);
    }
    const model = () => new FakeModel('openai:a', GOOD);

    it('answers the same question again without a model, in the same words and pieces', async () => {
      const models = [model()];
      const service = serviceIn({ models });
      const first = await service.answer(request, never);
      const { events } = await collect(
        service.stream({ ...request, question: ` ${QUESTION.toUpperCase()} ` }, never),
      );
      const { answer } = events.at(-1) as { answer: Answer };
      expect(models[0]!.asked).toHaveLength(1);
      expect(answer).toMatchObject({
        text: first.text,
        citations: first.citations,
        servedBy: 'cache',
        serviceLevel: 'full',
        usage: null,
      });
      expect(events.slice(1, -1)).toEqual(piecesOf(first));
      expect(events[0]).toMatchObject({ type: 'search-results', results: [{ passageId: 'passage-1' }] });
    });

    it.each<[string, World, Partial<AnswerRequest>]>([
      ['another tenant', {}, { reader: { tenantId: 'tenant-2', userId: 'user-1' } }],
      ['another reader', {}, { reader: { tenantId: 'tenant-1', userId: 'user-2' } }],
      ['other documents or versions', { scope: { fingerprint: '1:43' } }, {}],
      ['another question', {}, { question: 'What is the copay?' }],
      ['another selection', {}, { documentIds: ['document-1'] }],
      ['another collection', {}, { collection: 'home' }],
      ['other tags', {}, { tags: ['home'] }],
      ['other models', { models: [new FakeModel('openai:b', GOOD)] }, {}],
    ])('keeps answers apart for %s', async (_, world, change) => {
      expect((await twice({ models: [model()] }, world, change)).servedBy).not.toBe('cache');
    });

    it('keeps no answer that a failure made worse', async () => {
      const failing = new FakeModel('openai:a', [new TransientFailure('503')]);
      expect((await twice({ models: [failing] })).servedBy).toBe('extractive');
      expect((await twice({ retriever: finds([HIT], 'lexical') })).servedBy).toBe('extractive');
    });
  });
});
