import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OpenAiModel } from '../../apps/api/src/rag/providers/openai.model.js';
import type { FakeStats, Script } from '../support/fake-model-server.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('the fake model as a process', () => {
  let child: ChildProcess;
  let url: string;
  beforeAll(async () => {
    child = spawn(
      process.execPath,
      ['--import', './test/support/typescript-hooks.mjs', 'test/support/fake-model-main.ts'],
      {
        cwd: ROOT,
        env: { ...process.env, FAKE_MODEL_STOP_WITH_STDIN: '1' },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    ({ url } = JSON.parse(line.toString()) as { url: string });
  });
  afterAll(async () => {
    const exit = once(child, 'exit');
    child.stdin!.end();
    await exit;
  });

  const post = (path: string, body: object) =>
    fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  const script = (given: Script) => post('/__script', given);
  const stats = async () => (await (await fetch(`${url}/__stats`)).json()) as FakeStats;
  const ask = (content: string) =>
    post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] });
  const PROMPT =
    '<documents>\n<passage number="1" document="Plan">\nThe premium is $20.\n</passage>\n' +
    '<passage number="2" document="Plan">\nThe overall deductible is $500 per person.\n</passage>\n</documents>\n' +
    '<question>\nWhat is the overall deductible?\n</question>';

  it('answers from the passages until it is told otherwise', async () => {
    await script({});
    const answer = (await (await ask(PROMPT)).json()) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]!.message.content).toBe(
      'The document says "The overall deductible is $500 per person." [2].',
    );
  });

  it('follows the first rule that applies, as often as that says, and counts', async () => {
    await post('/__forget', {});
    await script({
      chat: [
        { times: 1, failure: 'status', status: 429, retryAfter: '7' },
        { containing: 'premium', failure: 'status', status: 503 },
      ],
      embeddings: [{ failure: 'poisoned', poison: 'bad' }],
    });
    const first = await ask('hello');
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '7']);
    expect([(await ask('hello')).status, (await ask(PROMPT)).status]).toEqual([200, 503]);
    const embed = (...input: string[]) => post('/v1/embeddings', { model: 'e', input });
    expect([(await embed('good', 'bad')).status, (await embed('good')).status]).toEqual([400, 200]);
    await script({});
    expect((await ask(PROMPT)).status).toBe(200);
    expect(await stats()).toMatchObject({
      calls: { chat: 4, embeddings: 2, models: 0 },
      failures: { status: 2, none: 3, poisoned: 1 },
      underWay: 0,
    });
  });

  it('lets a share of the calls fail, the same ones again with the same seed', async () => {
    const fates = async () => {
      await script({ seed: 7, chat: [{ share: 0.3, failure: 'status', status: 500 }] });
      const statuses: number[] = [];
      for (let i = 0; i < 40; i++) statuses.push((await ask('hello')).status);
      return statuses;
    };
    const first = await fates();
    const failed = first.filter((status) => status === 500).length;
    expect(failed).toBeGreaterThan(4);
    expect(failed).toBeLessThan(20);
    expect(await fates()).toEqual(first);
  });

  it('makes its reader hold little, however much it says', async () => {
    const limits = { firstTokenMs: 10_000, idleMs: 15_000, totalMs: 120_000, maxChars: 64_000 };
    const options = {
      model: 'm',
      baseUrl: `${url}/v1`,
      apiKey: 'k',
      limits,
      limitParameter: 'max_tokens',
    } as const;
    const model = new OpenAiModel('openai:m', options);
    const request = { messages: [{ role: 'user' as const, content: PROMPT }], maxTokens: 100 };
    const readAll = async (failure: 'endless' | 'endless-event') => {
      await script({ chat: [{ text: 'So', failure, bytes: 50_000_000 }] });
      let peak = 0;
      for await (const event of model.stream(request, new AbortController().signal)) {
        peak = Math.max(peak, process.memoryUsage.rss());
        if (event.type === 'end') expect(event.finishReason).toBe('length');
      }
      return peak;
    };
    // The SDK is loaded, and what runs often is compiled, before it is measured.
    for (let i = 0; i < 5; i++) await readAll('endless');
    const before = process.memoryUsage.rss();
    let peak = 0;
    for (let i = 0; i < 4; i++)
      peak = Math.max(peak, await readAll('endless'), await readAll('endless-event'));
    expect((peak - before) / 1_048_576).toBeLessThan(20);
  });
});
