import { Caches } from '#libs/cache';
import type { TenantDb } from '#libs/database';
import { DependencyUnavailable, TransientFailure } from '#libs/errors';
import {
  collect,
  FakeModel,
  finds,
  GOOD,
  HIT,
  never,
  NONE_DELETED,
  QUESTION,
  READY,
  request,
  serviceIn,
  type World,
} from '../../../../../test/support/answer-world.js';
import type { Answer, AnswerRequest } from './answer.js';
import type { PassageRetriever } from './answer.service.js';
import { piecesOf } from './answer-pieces.js';
import type { RepeatedAnswer } from './repeated-answers.js';
import { Withdrawals } from './withdrawals.js';

describe('AnswerService', () => {
  describe('when nothing better can be had', () => {
    /** A world in which the question was answered once, and in which the models and the database do what is wanted. */
    function world({
      versions = [{ id: 'document-1', version: 3 }],
      deleted = NONE_DELETED,
      ...more
    }: Pick<World, 'deleted' | 'withdrawals' | 'retriever'> & { versions?: object[] } = {}) {
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
      const service = serviceIn({ models: [model], db, deleted, ...more });
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

    it('gives no last answer from what was withdrawn from its reader before the database went away', async () => {
      const marks = new Map<string, number>();
      const store = { get: async (key: string) => marks.get(key), set: async () => {} };
      const withdrawals = new Withdrawals({ forTenant: () => store });
      const { state, service } = world({ withdrawals });
      await service.answer(request, never);
      state.away = true;
      for (const key of ['document:document-1', 'user:user-1', 'tenant']) {
        marks.set(key, Date.now());
        await expect(service.answer(request, never)).rejects.toMatchObject({ code: 'answers-unavailable' });
        marks.clear();
        expect(await service.answer(request, never)).toMatchObject({ servedBy: 'cache-stale' });
      }
      for (const key of ['document:document-2', 'user:user-2']) marks.set(key, Date.now());
      expect(await service.answer(request, never)).toMatchObject({ servedBy: 'cache-stale' });
    });

    it('tells with a last answer no titles that its reader may not see any more', async () => {
      const other = { ...HIT, id: 'passage-2', documentId: 'document-2' };
      let isFound = true;
      const retrieve: PassageRetriever['retrieve'] = async () => {
        if (!isFound) throw new DependencyUnavailable('postgres', { reason: 'circuit-open' });
        return { hits: [HIT, other], mode: 'hybrid' };
      };
      const { state, service } = world({ retriever: { retrieve } });
      await service.answer(request, never);
      state.fingerprint = '2:7';
      isFound = false;
      const { events } = await collect(service.stream(request, never));
      const told = events.flatMap((event) => (event.type === 'search-results' ? event.results : []));
      expect(events.at(-1)).toMatchObject({ answer: { servedBy: 'cache-stale' } });
      expect(told.map(({ documentId }) => documentId)).toEqual(['document-1']);
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

  describe('when the same is asked again', () => {
    const confirmed = async () => true;

    async function answeredOnce() {
      const model = new FakeModel('openai:a', GOOD);
      const service = serviceIn({ models: [model], scope: { fingerprint: '1:42' } });
      const first = await service.answer(request, never);
      return { model, service, first };
    }

    it('gives the answer again once its documents are confirmed to be the same', async () => {
      const { model, service, first } = await answeredOnce();
      const shown: RepeatedAnswer[] = [];
      const answer = await service.repeat(request, async (repeated) => shown.push(repeated) > 0);
      expect(answer).toMatchObject({
        text: first.text,
        servedBy: 'cache',
        serviceLevel: 'full',
        usage: null,
      });
      expect(shown).toMatchObject([{ answer, fingerprint: '1:42', results: [{ documentId: 'document-1' }] }]);
      expect(model.asked).toHaveLength(1);
    });

    it('gives none that is not confirmed, and says why it could not be', async () => {
      const { service } = await answeredOnce();
      expect(await service.repeat(request, async () => false)).toBeUndefined();
      const away = new DependencyUnavailable('postgres', { reason: 'circuit-open' });
      await expect(service.repeat(request, () => Promise.reject(away))).rejects.toBe(away);
      expect(await service.repeat(request, confirmed)).toBeDefined();
    });

    it.each([
      ['another question', { question: 'What is the copay?' }],
      ['another reader', { reader: { tenantId: 'tenant-1', userId: 'user-2' } }],
      ['other documents', { documentIds: ['document-1'] }],
    ])('gives none to %s', async (_, other) => {
      const { service } = await answeredOnce();
      expect(await service.repeat({ ...request, ...other }, confirmed)).toBeUndefined();
    });
  });
});
