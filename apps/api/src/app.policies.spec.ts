import { loadConfig } from '#libs/config';
import { databaseSection } from '#libs/database';
import { definePolicies } from './app.policies.js';
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

  it('hedge an embedder that is reached over the network only', () => {
    const hedges = (environment: Record<string, string>) =>
      policiesWith(environment)
        .find(({ name }) => name === 'embedder')!
        .describe().options.hedge;
    expect(hedges({})).toBeUndefined();
    expect(hedges({ EMBEDDER_PROVIDER: 'openai' })).toEqual({ floorMs: 50, budgetRatio: 0.05 });
  });
});
