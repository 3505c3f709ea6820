import { setImmediate as turn } from 'node:timers/promises';
import { Caches } from '#libs/cache';
import type { TenantDb } from '#libs/database';
import { TransientFailure } from '#libs/errors';
import { PolicyRegistry } from '#libs/resilience';
import type { ChatEvent, ChatModel } from '../providers/provider.js';
import type { RetrievedPassage } from '../retrieval/retriever.js';
import type { AnswerRequest } from './answer.js';
import { AnswerCache } from './answer-cache.js';
import { AnswerService } from './answer.service.js';

const HIT: RetrievedPassage = {
  id: 'passage-1',
  documentId: 'document-1',
  documentVersion: 1,
  documentTitle: 'Gold Plan',
  ordinal: 0,
  kind: 'prose',
  text: 'The overall deductible is $500 per person.',
  headingPath: [],
  page: 1,
  box: null,
  row: null,
  score: 0.9,
  lexicalScore: 0.9,
  semanticScore: 0.9,
};
const REQUEST: AnswerRequest = {
  reader: { tenantId: 'tenant-1', userId: 'user-1' },
  question: 'What is the overall deductible?',
};
const never = new AbortController().signal;

/** Writes when it is told to, and counts. */
class SlowModel implements ChatModel {
  readonly name = 'openai:slow';
  calls = 0;
  aborted = 0;
  fails = false;
  private readonly gate = Promise.withResolvers<void>();

  write(): void {
    this.gate.resolve();
  }

  async *stream(_request: unknown, signal: AbortSignal): AsyncIterable<ChatEvent> {
    this.calls += 1;
    signal.addEventListener('abort', () => (this.aborted += 1), { once: true });
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
    await Promise.race([this.gate.promise, aborted]);
    if (this.fails) throw new TransientFailure('503');
    yield { type: 'text', text: 'The overall deductible is "$500 per person" [1].' };
    yield { type: 'end', usage: { inputTokens: 10, outputTokens: 5 } };
  }
}

/** @param search how long the n-th search takes */
function serviceIn(model: SlowModel, search: (n: number) => Promise<unknown> = async () => undefined) {
  const caches = Caches.inMemory();
  const cache = AnswerCache.on(caches, { answerTtlSeconds: 600, staleAnswerSeconds: 0 }, [model.name]);
  const policies = new PolicyRegistry();
  policies.define('postgres', { attemptTimeoutMs: 5_000 });
  policies.define(`model:${model.name}`, { attemptTimeoutMs: 5_000 });
  const scope = { answerable: 1, pending: [], failed: [], unknown: [], fingerprint: '1:42' };
  const db = {
    read: (_tenant: string, work: (tx: unknown) => unknown) => work({ query: async () => [scope] }),
  } as unknown as TenantDb;
  let searches = 0;
  const retriever = {
    retrieve: async () => {
      await search(searches++);
      return { hits: [HIT], mode: 'hybrid' as const };
    },
  };
  const budget = { reserve: async () => ({ settle: async () => undefined }) };
  return new AnswerService(
    db,
    retriever,
    [model],
    policies,
    budget as never,
    cache,
    { hasAny: async () => false },
    {
      passages: 20,
      bestPassages: 2,
      maxTokens: 256,
      modelsTimeoutMs: 60_000,
    },
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe('the same question of the same reader, asked by many at the same moment', () => {
  it('is put to the model once', async () => {
    const model = new SlowModel();
    const service = serviceIn(model);
    const all = Array.from({ length: 200 }, () => service.answer(REQUEST, never));
    await until(() => model.calls === 1);
    model.write();
    const answers = await Promise.all(all);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(model.calls).toBe(1);
  });

  it('is put to the model once also when some are still searching while others have their answer', async () => {
    const model = new SlowModel();
    model.write();
    const late = Promise.withResolvers<void>();
    const service = serviceIn(model, async (n) => (n < 10 ? undefined : late.promise));
    const all = Array.from({ length: 20 }, () => service.answer(REQUEST, never));
    await Promise.race(all);
    late.resolve();
    const answers = await Promise.all(all);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(model.calls).toBe(1);
  });

  it('goes on for those who stay when the first one leaves, and ends when all have left', async () => {
    const model = new SlowModel();
    const service = serviceIn(model);
    const leaving = Array.from({ length: 3 }, () => new AbortController());
    const all = leaving.map(({ signal }) => service.answer(REQUEST, signal));
    const settled = Promise.allSettled(all);
    await until(() => model.calls === 1);
    leaving[0]!.abort(new Error('left'));
    await expect(all[0]).rejects.toThrow('left');
    expect(model.aborted).toBe(0);
    leaving[1]!.abort(new Error('left'));
    leaving[2]!.abort(new Error('left'));
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await until(() => model.aborted === 1);
    expect(model.calls).toBe(1);
  });

  it('takes the next step for all of them when the model fails', async () => {
    const model = new SlowModel();
    model.fails = true;
    const service = serviceIn(model);
    const all = Array.from({ length: 20 }, () => service.answer(REQUEST, never));
    await until(() => model.calls === 1);
    model.write();
    for (const answer of await Promise.all(all))
      expect(answer).toMatchObject({ servedBy: 'extractive', serviceLevel: 'minimal' });
    expect(model.calls).toBe(1);
  });

  it.each<[string, AnswerRequest]>([
    ['another reader', { ...REQUEST, reader: { tenantId: 'tenant-1', userId: 'user-2' } }],
    ['another tenant', { ...REQUEST, reader: { tenantId: 'tenant-2', userId: 'user-1' } }],
    ['another selection', { ...REQUEST, documentIds: ['document-1'] }],
  ])('is not shared with %s', async (_, other) => {
    const model = new SlowModel();
    const service = serviceIn(model);
    const both = [service.answer(REQUEST, never), service.answer(other, never)];
    await until(() => model.calls === 2);
    model.write();
    await Promise.all(both);
  });
});
