import { Caches } from '#libs/cache';
import { answerIn, FakeModel, GOOD } from '../../../../../test/support/answer-world.js';

describe('what a tenant has decided about answers', () => {
  const models = () => [new FakeModel('openai:a', GOOD), new FakeModel('openai:b', GOOD)];

  it('lets the models read that it allows, in the order of the installation', async () => {
    const [a, b] = models() as [FakeModel, FakeModel];
    const answer = await answerIn({ models: [a, b], rules: { allowedModels: ['openai:b', 'openai:c'] } });
    expect(answer).toMatchObject({ servedBy: 'openai:b', serviceLevel: 'full' });
    expect(a.asked).toEqual([]);
  });

  it('shows no model anything where it allows none, and promises no more than quotes', async () => {
    const all = models();
    const answer = await answerIn({ models: all, rules: { allowedModels: [] } });
    expect(answer).toMatchObject({ servedBy: 'extractive', serviceLevel: 'full', notInDocuments: false });
    for (const model of all) expect(model.asked).toEqual([]);
  });

  it('makes quotes that are less sure than its threshold not in the documents', async () => {
    const { grounding } = await answerIn({});
    expect(grounding).toBeGreaterThan(0.5);
    const strict = await answerIn({ rules: { answerThreshold: Math.min(1, grounding + 0.01) } });
    expect(strict).toMatchObject({ notInDocuments: true, citations: [] });
    expect(await answerIn({ rules: { answerThreshold: grounding - 0.01 } })).toMatchObject({
      notInDocuments: false,
    });
  });

  it('holds for answers that were given before it was decided', async () => {
    const caches = Caches.inMemory();
    expect(await answerIn({ models: models(), caches })).toMatchObject({ servedBy: 'openai:a' });
    expect(await answerIn({ models: models(), caches })).toMatchObject({ servedBy: 'cache' });
    const rules = { allowedModels: ['openai:b'] };
    expect(await answerIn({ models: models(), caches, rules })).toMatchObject({ servedBy: 'openai:b' });
  });
});
