import { DependencyUnavailable, FatalFailure, Overloaded } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { ContextTooLong, ModelRejected, ProviderFailure } from '../../providers/provider-failure.js';
import type { ChatEvent, ChatModel, ChatRequest } from '../../providers/provider.js';
import { CitedAnswer } from './cited-answer.js';
import { generate, UnusableAnswer } from './generate.js';
import { BudgetExhausted, type Reservation } from './model-budget.js';
import type { CitablePassage } from './prompt.js';

const passages: CitablePassage[] = [
  'The deductible is $500 per person.',
  'The premium is $20.',
  'Third.',
].map((text, ordinal) => ({
  id: `p${ordinal}`,
  documentId: 'd1',
  documentTitle: 'Gold Plan',
  ordinal,
  kind: 'prose',
  text,
  headingPath: [],
  page: 1,
  box: null,
  row: null,
}));
const GOOD = 'The deductible is "$500 per person" [1].';
const say = (text: string): ChatEvent => ({ type: 'text', text });
const end: ChatEvent = { type: 'end', usage: { inputTokens: 70, outputTokens: 7 } };
const signal = new AbortController().signal;

/** A model that says or throws, call by call, what it is given. */
function modelThat(...scripts: (ChatEvent | Error)[][]) {
  const requests: ChatRequest[] = [];
  const model: ChatModel = {
    name: 'openai:gpt',
    async *stream(request) {
      requests.push(request);
      for (const step of scripts[requests.length - 1] ?? []) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
  };
  return { model, requests };
}

/** As the real one does, it hides what its dependency did behind an error of its own. */
const wrapping: Pick<Policy, 'stream'> = {
  async *stream(open) {
    try {
      yield* open(signal);
    } catch (cause) {
      throw cause instanceof ModelRejected ? cause : new DependencyUnavailable('model', { cause });
    }
  },
};
const open: Pick<Policy, 'stream'> = {
  // eslint-disable-next-line require-yield
  async *stream() {
    throw new DependencyUnavailable('model', { reason: 'circuit-open' });
  },
};

/** Notes what was reserved and what it came to. */
class FakeBudget {
  readonly reserved: number[] = [];
  readonly settled: number[] = [];
  isExhausted = false;
  reserve = async (_tenantId: string, tokens: number): Promise<Reservation | 'exhausted'> => {
    if (this.isExhausted) return 'exhausted';
    this.reserved.push(tokens);
    return { settle: async (used) => void this.settled.push(used) };
  };
}

async function run(model: ChatModel, { policy = wrapping, budget = new FakeBudget() } = {}) {
  const draft = new CitedAnswer(passages);
  const generation = {
    model,
    policy,
    budget,
    draft,
    question: 'What is the deductible?',
    maxTokens: 100,
    tenantId: 't1',
  };
  const writing = generate(generation, signal);
  let text = '';
  try {
    let step = await writing.next();
    for (; !step.done; step = await writing.next()) if (step.value.type === 'text') text += step.value.text;
    return { draft, text, usage: step.value, budget };
  } catch (error) {
    return { draft, text, error, budget };
  }
}

const passagesIn = ({ messages }: ChatRequest) => messages.at(-1)!.content.match(/<passage /g)!.length;

describe('letting a model write', () => {
  it('gives out what stands, and what it cost', async () => {
    const { model, requests } = modelThat([say('The deductible '), say('is "$500 per person" [1].'), end]);
    const { text, usage } = await run(model);
    expect([text, usage]).toEqual([
      'The deductible is "$500 per person" [1].',
      { inputTokens: 70, outputTokens: 7 },
    ]);
    expect(requests).toMatchObject([{ maxTokens: 100 }]);
  });

  it('asks again with half of the passages when they were too many, once', async () => {
    const tooLong = new ContextTooLong('openai:gpt', '400');
    const { model, requests } = modelThat([tooLong], [say(GOOD), end]);
    expect((await run(model)).text).toBe(GOOD);
    expect(requests.map(passagesIn)).toEqual([3, 2]);
    const never = modelThat([tooLong], [tooLong], [say(GOOD), end]);
    expect((await run(never.model)).error).toBe(tooLong);
    expect(never.requests).toHaveLength(2);
  });

  it.each([[[]], [[say('The deductible is "$5')]]])(
    'asks again after an answer that could not be read, while nothing of it stands (%j)',
    async (before) => {
      const garbage = new ProviderFailure('malformed', 'openai:gpt sent a malformed event');
      const { model, requests } = modelThat([...before, garbage], [say(GOOD), end]);
      const { text, draft } = await run(model);
      expect([text, draft.text, draft.dropped.sentences]).toEqual([GOOD, GOOD, 0]);
      expect(requests.map(passagesIn)).toEqual([3, 3]);
      const never = modelThat([garbage], [garbage], [say(GOOD), end]);
      expect((await run(never.model)).error).toBeInstanceOf(DependencyUnavailable);
      expect(never.requests).toHaveLength(2);
    },
  );

  it('asks nobody again once something stands', async () => {
    const garbage = new ProviderFailure('malformed', 'openai:gpt sent a malformed event');
    const { model, requests } = modelThat([say(`${GOOD} More`), say(' follows.'), garbage], [say(GOOD), end]);
    const { text, error } = await run(model);
    expect([text, requests.length]).toEqual([GOOD, 1]);
    expect(error).toBeInstanceOf(DependencyUnavailable);
  });

  it.each([
    new ProviderFailure('server-error', '500'),
    new Overloaded('429'),
    new FatalFailure('401'),
    new ModelRejected('openai:gpt', '400'),
  ])('asks nobody again after %p: that is for its policy and the ladder', async (failure) => {
    const { model, requests } = modelThat([failure], [say(GOOD), end]);
    expect((await run(model)).error).toBeDefined();
    expect(requests).toHaveLength(1);
  });

  it('keeps an answer that was cut off, without the sentence that it cut, and marks it', async () => {
    const cut: ChatEvent = { type: 'end', usage: null, finishReason: 'length' };
    const { model } = modelThat([say(`${GOOD} The premium is "$20" [2] unless you`), cut]);
    const { text, draft } = await run(model);
    expect([text, draft.text, draft.isTruncated]).toEqual([GOOD, GOOD, true]);
    const whole = await run(modelThat([say(GOOD), cut]).model);
    expect([whole.text, whole.draft.isTruncated]).toEqual([GOOD, true]);
    const nothing = await run(modelThat([say('The premium is "$20" [2] unless'), cut]).model);
    expect(nothing.error).toBeInstanceOf(UnusableAnswer);
  });
});

describe('what a model may cost', () => {
  const estimate = async () => (await run(modelThat([say(GOOD), end]).model)).budget.reserved[0]!;

  it('is set aside before the call, and settled by what the provider says', async () => {
    const { budget } = await run(modelThat([say(GOOD), end]).model);
    expect(budget.reserved).toHaveLength(1);
    expect(budget.reserved[0]).toBeGreaterThan(100 + 100);
    expect(budget.settled).toEqual([77]);
  });

  it('is estimated from what was read and written when the provider does not say', async () => {
    const { budget } = await run(modelThat([say(GOOD), { type: 'end', usage: null }]).model);
    expect(budget.settled).toEqual([(await estimate()) - 100 + Math.ceil(GOOD.length / 4)]);
    const broken = await run(modelThat([say(GOOD), new ProviderFailure('connection', 'broke')]).model);
    expect(broken.budget.settled).toEqual(budget.settled);
  });

  it.each([new Overloaded('429'), new FatalFailure('401'), new ContextTooLong('openai:gpt', '400')])(
    'is nothing for a call that was refused (%p) or never made',
    async (refusal) => {
      const refused = await run(modelThat([refusal], [refusal]).model);
      expect(new Set(refused.budget.settled)).toEqual(new Set([0]));
      expect(refused.budget.settled).toHaveLength(refused.budget.reserved.length);
      const { model, requests } = modelThat([say(GOOD), end]);
      const { error, budget } = await run(model, { policy: open });
      expect([requests.length, budget.settled]).toEqual([0, [0]]);
      expect(error).toBeInstanceOf(DependencyUnavailable);
    },
  );

  it('is what was read also when the reader leaves before the first token', async () => {
    const caller = new AbortController();
    const model: ChatModel = {
      name: 'openai:gpt',
      // eslint-disable-next-line require-yield
      async *stream() {
        caller.abort(new Error('the client left'));
        throw caller.signal.reason;
      },
    };
    const budget = new FakeBudget();
    const policy: Pick<Policy, 'stream'> = {
      async *stream(open) {
        yield* open(caller.signal);
      },
    };
    const draft = new CitedAnswer(passages);
    const given = { model, policy, budget, draft, question: 'What?', maxTokens: 100, tenantId: 't1' };
    await expect(generate(given, caller.signal).next()).rejects.toThrow('the client left');
    expect(budget.settled).toEqual([budget.reserved[0]! - 100]);
  });

  it('keeps the model from being asked when it is used up, or nobody knows', async () => {
    const { model, requests } = modelThat([say(GOOD), end]);
    const budget = new FakeBudget();
    budget.isExhausted = true;
    expect((await run(model, { budget })).error).toBeInstanceOf(BudgetExhausted);
    const away = new DependencyUnavailable('postgres');
    budget.reserve = () => Promise.reject(away);
    expect((await run(model, { budget })).error).toBe(away);
    expect(requests).toEqual([]);
  });
});
