import { InvalidConfiguration } from '#libs/config';
import type { ReadingRequest, ReadingResult, StructuredReader } from '../../../rag/index.js';
import type { ClaimedJob } from '../../jobs/job.js';
import type { JobStore } from '../../jobs/job.store.js';
import { passage } from '../spec-passages.js';
import { FactReader } from './fact-reader.js';
import type { KeptReading, ReadingStore } from './reading.store.js';

const job = { tenantId: 't', documentId: 'd', generation: 1 } as ClaimedJob;
const passages = [passage('The deductible is $1,500.'), passage('Ask for the booklet.', { ordinal: 1 })];
const written = (value: string, number = 1) => ({
  passage: number,
  key: 'deductible',
  service: null,
  label: null,
  network: null,
  person: null,
  value,
});
const answer = (...facts: unknown[]): ReadingResult<unknown> => ({ model: 'openai:a', value: { facts } });
const unaborted = new AbortController().signal;

function world(result: ReadingResult<unknown>, { model = 'on', models = ['openai:a'] } = {}) {
  const kept = new Map<string, KeptReading>();
  const requests: ReadingRequest<unknown>[] = [];
  const reader = {
    models,
    read: async (request: ReadingRequest<unknown>) => {
      requests.push(request);
      return result;
    },
  } as unknown as StructuredReader;
  const store = {
    find: async (_: unknown, { digest }: { digest: Buffer }) => kept.get(digest.toString('hex')),
    save: async (_: unknown, { digest }: { digest: Buffer }, reading: KeptReading) =>
      void kept.set(digest.toString('hex'), reading),
  } as unknown as ReadingStore;
  const inTransaction = (_: unknown, work: (tx: unknown) => unknown) => work({});
  const jobs = { read: inTransaction, fenced: inTransaction } as unknown as JobStore;
  const config = { model: model as 'on' | 'off', modelTimeoutMs: 1_000, modelMaxTokens: 1_000 };
  const make = () => new FactReader(reader, store, jobs, config);
  const find = (given = passages) => make().read(job, given, unaborted, () => undefined);
  return { make, find, requests, kept };
}

describe('facts that a model finds', () => {
  it('are those that stand in the document', async () => {
    const { find } = world(answer(written('$1,500'), written('$0'), written('$1,500', 2), 'nonsense'));
    const { facts, model, reading } = await find();
    expect(facts).toMatchObject([{ key: 'deductible', value: '$1,500', foundBy: 'model' }]);
    expect([model, reading]).toEqual(['openai:a', { outcome: 'answered', dropped: 3 }]);
  });

  it('are not asked for again while the document says the same', async () => {
    const { find, requests } = world(answer(written('$1,500')));
    await find();
    const again = await find(passages.map((each) => ({ ...each, id: `new-${each.id}` })));
    expect(requests).toHaveLength(1);
    expect(again).toMatchObject({
      model: 'openai:a',
      reading: { outcome: 'cached' },
      facts: [{ value: '$1,500', source: { passageId: 'new-passage-0' } }],
    });
    await find([passage('The deductible is $900.')]);
    expect(requests).toHaveLength(2);
  });

  it.each(['timeout', 'unavailable', 'rejected', 'unusable', 'budget-exhausted', 'failed'] as const)(
    'are none when the model fails (%s), which is told and not kept',
    async (failure) => {
      const { find, kept } = world({ failure });
      expect(await find()).toEqual({ facts: [], model: null, reading: { outcome: failure, dropped: 0 } });
      expect(kept.size).toBe(0);
    },
  );

  it('are not asked for unless somebody wants it', async () => {
    const { find, requests } = world(answer(written('$1,500')), { model: 'off' });
    expect(await find()).toMatchObject({ facts: [], reading: { outcome: 'off' } });
    expect(requests).toEqual([]);
  });

  it('are not asked for where nothing tells of a plan', async () => {
    const { find, requests } = world(answer());
    expect(await find([])).toMatchObject({ reading: { outcome: 'nothing-to-read' } });
    expect(requests).toEqual([]);
  });

  it('cannot be wanted without a model', () => {
    expect(() => world(answer(), { models: [] }).make()).toThrow(InvalidConfiguration);
    expect(() => world(answer(), { models: [], model: 'off' }).make()).not.toThrow();
  });
});
