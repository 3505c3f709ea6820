import type { TenantDb } from '#libs/database';
import { DependencyUnavailable, DomainError, TransientFailure } from '#libs/errors';
import {
  answerIn,
  collect,
  FakeModel,
  finds,
  GOOD,
  HIT,
  never,
  policiesOf,
  QUESTION,
  READY,
  request,
  type Script,
  serviceIn,
} from '../../../../../test/support/answer-world.js';
import { ModelRejected } from '../providers/provider-failure.js';
import type { PassageRetriever } from './answer.service.js';

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

    it('asks again what can be asked when only that failed, and the search beside it did not', async () => {
      let reads = 0;
      const db = {
        read: async (_tenant: string, work: (tx: unknown) => unknown) => {
          if ((reads += 1) === 1) throw new DependencyUnavailable('postgres', { reason: 'overloaded' });
          return work({ query: async () => [{ ...READY, pending: ['document-2'] }] });
        },
      } as unknown as TenantDb;
      expect(await answerIn({ db })).toMatchObject({
        servedBy: 'extractive',
        serviceLevel: 'full',
        pendingDocumentIds: ['document-2'],
      });
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
});
