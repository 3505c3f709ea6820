import { loadConfig } from '#libs/config';
import { databaseSection } from '#libs/database';
import { definePolicies } from './app.policies.js';
import { workerSection } from './ingestion/index.js';
import { chatSection, embedderSection } from './rag/index.js';

const sections = { database: databaseSection, chat: chatSection, embedder: embedderSection };
const policiesWith = (environment: Record<string, string>) =>
  definePolicies(loadConfig(sections, environment)).list();

describe('the policies of the product', () => {
  it('are these, with these strategies and options', () => {
    const policies = policiesWith({ CHAT_MODELS: 'openai:gpt-test' });
    expect(
      Object.fromEntries(
        policies
          .map((policy) => policy.describe())
          .map((each) => [
            each.name,
            {
              pipeline: each.pipeline.join(' → '),
              options: each.options,
            },
          ]),
      ),
    ).toMatchSnapshot();
  });

  it('are valid for every size of the pool and every limit that may be configured', () => {
    for (const pool of ['2', '3', '200'])
      for (const limit of ['100', '600000'])
        expect(() =>
          policiesWith({
            CHAT_MODELS: 'openai:gpt-test',
            DATABASE_POOL_MAX: pool,
            DATABASE_STATEMENT_TIMEOUT_MS: limit,
            CHAT_FIRST_TOKEN_TIMEOUT_MS: limit,
          }),
        ).not.toThrow();
  });

  describe('of the embedder', () => {
    const options = (environment: Record<string, string>) =>
      policiesWith(environment)
        .find(({ name }) => name === 'embedder')!
        .describe().options;

    it('hedge only one that is reached over the network', () => {
      expect(options({}).hedge).toBeUndefined();
      expect(options({ EMBEDDER_PROVIDER: 'openai' }).hedge).toEqual({ floorMs: 50, budgetRatio: 0.05 });
    });

    it('let a batch on this machine wait for those of all other documents, a slow machine included', () => {
      const secondsOfBatch = 2;
      const timesSlower = 8;
      const { attemptTimeoutMs } = options({});
      const documents = loadConfig({ worker: workerSection }, {}).worker.concurrency;
      expect(attemptTimeoutMs).toBeGreaterThan(1_000 * secondsOfBatch * timesSlower * documents);
    });
  });
});
