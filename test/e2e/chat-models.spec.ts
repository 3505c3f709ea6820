import { randomUUID } from 'node:crypto';
import { ChatClient, QUESTION, textOf } from '../support/chat-client.js';
import { allEvents, readEvents, type ReceivedEvent } from '../support/event-reader.js';
import { type Failure, FakeModelServer } from '../support/fake-model-server.js';
import { testApp } from '../support/test-app.js';

describe('questions with a model', () => {
  let model: FakeModelServer;
  let client: ChatClient;
  beforeAll(async () => {
    model = await FakeModelServer.start();
    const app = await testApp({
      CHAT_MODELS: 'openai:gpt-test',
      OPENAI_BASE_URL: `${model.url}/v1`,
      OPENAI_API_KEY: 'k',
      CHAT_RESUME_GRACE_MS: '0',
      CACHE_ANSWER_TTL_SECONDS: '1',
    });
    client = await new ChatClient(app).prepare();
  }, 60_000);
  afterAll(async () => {
    await client?.app.close();
    await model?.close();
  });

  /** Each question is asked once, so that none is answered from the cache. */
  const question = () => ({ question: `${QUESTION} ${randomUUID()}` });
  /** Cites the passage with the deductible, wherever it stands in the prompt. */
  const cited = (text: string[], failure?: Failure) =>
    model.say(({ body }) => {
      const prompt = body.messages.at(-1)!.content;
      const number = /<passage number="(\d+)"(?:(?!<\/passage>)[^])*deductible is \$500/.exec(prompt)![1]!;
      return { failure, text: text.map((piece) => piece.replaceAll('[n]', `[${number}]`)) };
    });
  const GOOD = [
    'The overall deductible is ',
    '"$500 per person" [n]. ',
    'It is "$500 per person" for all [n].',
  ];

  it('are answered by it, checked against the documents', async () => {
    cited(GOOD);
    const response = await client.ask(question());
    expect(response.headers.get('x-model-used')).toBe('openai:gpt-test');
    expect(await response.json()).toMatchObject({
      answer: 'The overall deductible is "$500 per person" [1]. It is "$500 per person" for all [2].',
      citations: [
        { marker: 1, quote: '$500 per person' },
        { marker: 2, quote: '$500 per person' },
      ],
      served_by: 'openai:gpt-test',
      service_level: 'full',
      usage: { input_tokens: 100, output_tokens: 20 },
    });
  });

  it('are answered from the documents when it fails, and say so', async () => {
    model.say({ failure: 'status', status: 500 });
    const response = await client.ask(question());
    expect(response.headers.get('x-service-level')).toBe('minimal');
    expect(await response.json()).toMatchObject({ served_by: 'extractive', service_level: 'minimal' });
  });

  it('stream, break off in the middle with an error, and keep what there was', async () => {
    cited(['The deductible is "$500 per person" [n]. More', ' follows'], 'reset-midway');
    const events = await allEvents(await client.stream(question()));
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'answer-interrupted', retryable: true, partial: true },
    });
    expect(textOf(events)).toBe('The deductible is "$500 per person" [1].');
    const [saved] = await client.messages();
    expect(saved).toMatchObject({
      status: 'failed',
      error_code: 'answer-interrupted',
      answer: null,
      partial: { answer: 'The deductible is "$500 per person" [1].', citations: [{ marker: 1 }] },
    });
  });

  it('can be read again from any event', async () => {
    cited(GOOD);
    const response = await client.stream(question());
    const turnId = response.headers.get('x-turn-id')!;
    const events = await allEvents(response);
    const others = (list: ReceivedEvent[]) => list.filter(({ event }) => event !== 'message');
    for (const id of [undefined, ...events.map((event) => event.id)]) {
      // Text may be cut into other pieces when it is read again; together they are the same.
      const rest = await allEvents(await client.resume(turnId, id));
      const missed = events.filter((event) => Number(event.id) > Number(id ?? 0));
      expect(others(rest)).toEqual(others(missed));
      expect(textOf(rest)).toBe(textOf(missed));
    }
  });

  it('can be joined while they are answered, and cancelled; what there is stays', async () => {
    cited(['The deductible is "$500 per person" [n]. And then', ' silence'], 'stall');
    const response = await client.stream(question());
    const turnId = response.headers.get('x-turn-id')!;
    const readers = [readEvents(response), readEvents(await client.resume(turnId, '1'))];
    expect((await readers[0]!.next()).value).toMatchObject({ event: 'search_results', id: '1' });
    for (const reader of readers) {
      expect((await reader.next()).value).toMatchObject({
        event: 'citation',
        data: { quote: '$500 per person' },
      });
      expect((await reader.next()).value).toMatchObject({
        event: 'message',
        data: { delta: 'The deductible is "$500 per person" [1].' },
      });
    }
    await client.cancel(turnId);
    for (const reader of readers)
      expect((await reader.next()).value).toMatchObject({ event: 'done', data: { status: 'cancelled' } });
    expect((await client.messages())[0]).toMatchObject({
      status: 'cancelled',
      partial: { answer: 'The deductible is "$500 per person" [1].', citations: [{ marker: 1 }] },
    });
  });

  it('end with an error for a reader whose deadline is over', async () => {
    model.say({ failure: 'hang' });
    const response = await client.stream(question());
    const turnId = response.headers.get('x-turn-id')!;
    const hurried = await allEvents(await client.resume(turnId, '1', { 'x-deadline-ms': '100' }));
    expect(hurried).toEqual([
      { event: 'error', data: { code: 'deadline-exceeded', retryable: true, partial: true } },
    ]);
    await client.cancel(turnId);
    expect((await allEvents(response)).at(-1)).toMatchObject({ event: 'done' });
  });

  it('end their work when the deadline of the question is over', async () => {
    const asked = Promise.withResolvers<void>();
    model.say(() => {
      asked.resolve();
      return { failure: 'hang' };
    });
    const left = model.clientLeft();
    const response = await client.ask(question(), { accept: 'text/event-stream', 'x-deadline-ms': '3000' });
    await asked.promise;
    await left;
    expect((await allEvents(response)).at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'deadline-exceeded' },
    });
    // What comes after the last event that was read, once the turn is saved.
    const rest = await allEvents(await client.resume(response.headers.get('x-turn-id')!, '1'));
    expect(rest).toMatchObject([{ event: 'done', data: { status: 'cancelled' } }]);
  });

  it('can be cancelled before there is anything', async () => {
    model.say({ failure: 'hang' });
    const left = model.clientLeft();
    const response = await client.stream(question());
    const turnId = response.headers.get('x-turn-id')!;
    const reading = allEvents(response);
    expect(await client.cancel(turnId)).toEqual({ id: turnId, status: 'cancelled' });
    await left;
    expect((await reading).at(-1)).toMatchObject({ event: 'done', data: { status: 'cancelled' } });
    expect((await client.messages())[0]).toMatchObject({ id: turnId, status: 'cancelled', answer: null });
    expect(await client.cancel(turnId)).toEqual({ id: turnId, status: 'cancelled' });
  });

  it.each([
    ['a stream', 'text/event-stream'],
    ['an answer', 'application/json'],
  ])('stop the model when the client leaves %s', async (_, accept) => {
    const asked = Promise.withResolvers<void>();
    model.say(() => {
      asked.resolve();
      return { failure: 'hang' };
    });
    const left = model.clientLeft();
    const leave = client.askAndLeave(question(), accept);
    await asked.promise;
    leave();
    await left;
  });

  it('are refused for a client that wants more than can be had, whichever way it asks', async () => {
    model.say({ failure: 'status', status: 500 });
    const wanted = { 'x-min-service-level': 'full' };
    for (const accept of ['application/json', 'text/event-stream']) {
      const response = await client.ask(question(), { ...wanted, accept });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
      expect(response.headers.get('x-service-level')).toBe('unavailable');
      expect(await response.json()).toMatchObject({
        code: 'service-level-not-met',
        required: 'full',
        available: 'degraded',
      });
    }
    const accepted = await client.ask(question(), { 'x-min-service-level': 'minimal' });
    expect(accepted.status).toBe(200);
    const unknown = await client.ask(question(), { 'x-min-service-level': 'splendid' });
    expect(await unknown.json()).toMatchObject({ status: 400, code: 'invalid-service-level' });
  });
});
