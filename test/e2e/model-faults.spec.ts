import { randomUUID } from 'node:crypto';
import { ChatClient, QUESTION, textOf } from '../support/chat-client.js';
import { allEvents } from '../support/event-reader.js';
import { FakeModelServer, type Reply } from '../support/fake-model-server.js';
import { eventually, signedIn } from '../support/operator.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface Body {
  answer: string;
  served_by: string;
  service_level: string;
  truncated: boolean;
  meta: { degradation: { capability: string; reason: string; fallback: string }[] };
}
interface PolicyBody {
  state: string;
  window: { calls: number; failures: number };
}

let first: FakeModelServer;
let second: FakeModelServer;
let app: TestApp;
let client: ChatClient;
let operator: Record<string, string>;

/** A program whose models are these fakes; its model has seen nothing of what the test before did to it. */
function withModels(models: string, settings: Record<string, string> = {}) {
  beforeAll(async () => {
    [first, second] = [await FakeModelServer.start(), await FakeModelServer.start()];
    second.say({ cited: true });
    app = await testApp({
      CHAT_MODELS: models,
      OPENAI_BASE_URL: `${first.url}/v1`,
      OPENAI_API_KEY: 'k',
      COMPATIBLE_BASE_URL: `${second.url}/v1`,
      CHAT_RESUME_GRACE_MS: '0',
      ...settings,
    });
    operator = await signedIn(app, 'operator');
    client = await new ChatClient(app).prepare();
  }, 60_000);
  afterAll(async () => {
    await app?.close();
    await first.close();
    await second.close();
  });
  beforeEach(async () => {
    first.follow({});
    first.calls.splice(0);
    const order = { reason: 'the next test' };
    const response = await app.fetch(`${POLICY}/reset`, { json: order, headers: operator });
    expect(response.status).toBe(200);
  });
}

const POLICY = `/v1/admin/resilience/${encodeURIComponent('model:openai:first')}`;

/** Each is asked once, so that none is answered from the cache. */
const question = () => ({ question: `${QUESTION} ${randomUUID()}` });

async function ask(): Promise<Body> {
  const response = await client.ask(question());
  expect(response.status).toBe(200);
  return (await response.json()) as Body;
}

async function policy(): Promise<PolicyBody> {
  const response = await app.fetch(POLICY, { headers: operator });
  expect(response.status).toBe(200);
  return (await response.json()) as PolicyBody;
}

async function failures(): Promise<Map<string, number>> {
  const text = await (await app.fetch('/metrics', { headers: operator })).text();
  const lines = text.matchAll(
    /^navigator_model_failures_total\{model="openai:first",reason="([^"]+)"\} (\d+)/gm,
  );
  return new Map([...lines].map(([, reason, count]) => [reason!, Number(count)]));
}

/** The failures that are new, because metrics are those of the process. */
async function failuresDuring(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await failures();
  await work();
  const grown = [...(await failures())].map(([reason, count]): [string, number] => [
    reason,
    count - (before.get(reason) ?? 0),
  ]);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

/** `[n]` is the number of the passage with the deductible, wherever it stands in the prompt. */
function numbered(text: string[], more: Reply = {}) {
  return ({ body }: { body: { messages: { content: string }[] } }): Reply => {
    const prompt = body.messages.at(-1)!.content;
    const number = /<passage number="(\d+)"(?:(?!<\/passage>)[^])*deductible is \$500/.exec(prompt)![1]!;
    return { ...more, text: text.map((piece) => piece.replaceAll('[n]', `[${number}]`)) };
  };
}

describe('a question while its only model', () => {
  withModels('openai:first', { CHAT_IDLE_TIMEOUT_MS: '1000' });

  it('fails every time is answered from the documents, opens its circuit, and is used again once it is well', async () => {
    first.follow({
      chat: [{ failure: 'status', status: 500 }],
      models: [{ failure: 'status', status: 500 }],
    });
    for (let i = 0; i < 20; i++)
      expect(await ask()).toMatchObject({ served_by: 'extractive', service_level: 'minimal' });
    expect(first.calls.length).toBeLessThanOrEqual(10);
    expect(await policy()).toMatchObject({ state: 'open' });
    first.follow({});
    first.say({ cited: true });
    await eventually(ask, ({ served_by }) => served_by === 'openai:first');
  }, 30_000);

  it('refuses our key opens its circuit at once, and is not asked again', async () => {
    const refusal = { failure: 'status', status: 401, code: 'invalid_api_key' } as const;
    first.follow({ chat: [refusal], models: [{ failure: 'status', status: 401 }] });
    expect(
      await failuresDuring(async () => {
        for (let i = 0; i < 5; i++) expect((await ask()).service_level).toBe('minimal');
      }),
    ).toEqual({ fatal: 1 });
    expect(first.calls).toHaveLength(1);
    expect(await policy()).toMatchObject({ state: 'open' });
  });

  it('reads less than we sent is asked again with half of it, and answers', async () => {
    first.say({ cited: true });
    first.follow({ chat: [{ times: 1, failure: 'status', status: 400, code: 'context_length_exceeded' }] });
    expect(await ask()).toMatchObject({ served_by: 'openai:first', service_level: 'full' });
    const [whole, half] = first.calls.map(
      ({ body }) => body.messages.at(-1)!.content.match(/<passage /g)!.length,
    );
    expect(half).toBe(Math.ceil(whole! / 2));
    expect(await policy()).toMatchObject({ state: 'closed', window: { failures: 0 } });
  });

  it.each(['garbage', 'invalid-utf8'] as const)(
    'sends %s is asked again while nothing was sent',
    async (failure) => {
      first.say({ cited: true });
      first.follow({ chat: [{ times: 1, failure, afterPieces: 0, text: 'x' }] });
      expect(await ask()).toMatchObject({ served_by: 'openai:first', service_level: 'full' });
      expect(first.calls).toHaveLength(2);
      first.follow({ chat: [{ failure, afterPieces: 0, text: 'x' }] });
      expect(await ask()).toMatchObject({ served_by: 'extractive', service_level: 'minimal' });
      expect(first.calls).toHaveLength(4);
    },
  );

  it('goes on for 50 MB is cut, kept and marked', async () => {
    const cited = 'The deductible is "$500 per person" [n].\n';
    first.say(numbered([cited, 'And so on '], { failure: 'endless', afterPieces: 1 }));
    const left = first.clientLeft();
    const answer = await ask();
    await left;
    expect(answer).toMatchObject({
      answer: 'The deductible is "$500 per person" [1].',
      served_by: 'openai:first',
      truncated: true,
    });
    first.say(numbered([cited, 'And then it'], { failure: 'length' }));
    expect(await ask()).toMatchObject({ answer: answer.answer, truncated: true });
    first.say(numbered([cited]));
    expect(await ask()).toMatchObject({ answer: answer.answer, truncated: false });
  });

  it.each([
    ['cut', 'connection'],
    ['truncate', 'truncated'],
    ['no-done', 'truncated'],
    ['garbage', 'malformed'],
    ['stall', 'idle-timeout'],
  ] as const)('breaks off (%s) ends as a stream in an error, never in done', async (failure, reason) => {
    first.say(numbered(['The deductible is "$500 per person" [n]. More', ' follows here.'], { failure }));
    let events: Awaited<ReturnType<typeof allEvents>> = [];
    expect(
      await failuresDuring(async () => {
        events = await allEvents(await client.stream(question()));
      }),
    ).toEqual({ [reason]: 1 });
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'answer-interrupted', retryable: true, partial: true },
    });
    expect(events.map(({ event }) => event)).not.toContain('done');
    expect(textOf(events)).toContain('The deductible is "$500 per person" [1].');
    expect(await policy()).toMatchObject({ window: { calls: 1, failures: 1 } });
  });

  it('would lead us elsewhere is not followed', async () => {
    const elsewhere = await FakeModelServer.start();
    first.say({ failure: 'redirect', location: `${elsewhere.url}/v1/chat/completions` });
    expect(await failuresDuring(ask)).toEqual({ redirected: 1 });
    expect(elsewhere.calls).toEqual([]);
    await elsewhere.close();
  });
});

describe('a question while one of two models', () => {
  withModels('openai:first,compatible:second');

  it('has too much to do is answered by the other one, and the first is left alone for as long as it asks', async () => {
    first.say({ failure: 'status', status: 429, retryAfter: '7' });
    for (let i = 0; i < 6; i++)
      expect(await ask()).toMatchObject({ served_by: 'compatible:second', service_level: 'degraded' });
    expect(first.calls).toHaveLength(1);
    expect(await policy()).toMatchObject({ state: 'closed', window: { failures: 0 } });
  });
});

describe('a question whose tenant', () => {
  withModels('openai:first,compatible:second', { CHAT_TENANT_TOKENS_PER_HOUR: '3000' });

  it('has used up its tokens is answered from the documents, no model is asked, and the answer says why', async () => {
    first.say({ cited: true });
    // Each call is said to have cost 120 tokens; far more is set aside while it is under way.
    const answers: Body[] = [];
    do answers.push(await ask());
    while (answers.at(-1)!.served_by === 'openai:first' && answers.length < 50);
    expect(answers.length).toBeGreaterThan(5);
    const asked = [first.calls.length, second.calls.length];
    expect(asked).toEqual([answers.length - 1, 0]);
    const last = await ask();
    expect(last).toMatchObject({ served_by: 'extractive', service_level: 'minimal' });
    expect(JSON.stringify(last.meta.degradation)).toContain('budget-exhausted');
    expect([first.calls.length, second.calls.length]).toEqual(asked);
  });
});
