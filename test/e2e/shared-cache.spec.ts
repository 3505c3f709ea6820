import { setTimeout as delay } from 'node:timers/promises';
import { type AnswerBody, ChatClient, QUESTION } from '../support/chat-client.js';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.js';
import { testApp } from '../support/test-app.js';

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

describeWithRedis('questions to a program with a Redis', () => {
  let redis: RedisServer;
  let client: ChatClient;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.kill();
    // It is not there yet: the program starts all the same.
    client = await new ChatClient(await testApp({ CACHE_URL: redis.url })).prepare();
  }, 60_000);
  afterAll(async () => {
    await client?.app.close();
    await redis?.stop();
  });

  async function ask(question: string): Promise<AnswerBody> {
    const response = await client.ask({ question });
    expect(response.status).toBe(200);
    return (await response.json()) as AnswerBody;
  }

  async function circuit(): Promise<string> {
    const response = await client.app.fetch('/health');
    const { components } = (await response.json()) as { components: { cache: { circuit: string } } };
    return components.cache.circuit;
  }

  const answersKept = async () => (await redis.cli.keys('navigator:answers:*')).length;

  it('are answered in full before it is there, while it is, and after it is gone', async () => {
    expect(await circuit()).toBe('open');
    expect(await ask(QUESTION)).toMatchObject({ served_by: 'extractive', service_level: 'full' });
    expect(await ask(QUESTION)).toMatchObject({ served_by: 'cache', service_level: 'full' });

    await redis.start();
    await until(async () => (await circuit()) === 'closed');
    await until(async () => {
      expect(await ask(`${QUESTION} ${Math.random()}`)).toMatchObject({ service_level: 'full' });
      return (await answersKept()) > 0;
    });

    await redis.kill();
    await until(async () => (await circuit()) === 'open');
    expect(await ask(`${QUESTION} And now?`)).toMatchObject({
      served_by: 'extractive',
      service_level: 'full',
    });
    expect(await ask(`${QUESTION} And now?`)).toMatchObject({ served_by: 'cache', service_level: 'full' });
    await redis.start();
    await until(async () => (await circuit()) === 'closed');
  });

  it('leave in it what belongs to a tenant, under his name, and no word of the question in a key', async () => {
    await until(async () => {
      await ask(`Is the emergency copay waived? ${Math.random()}`);
      return (await answersKept()) > 0;
    });
    const keys = await redis.cli.keys('*');
    expect(keys.join(' ')).not.toMatch(/emergency/i);
    for (const key of keys)
      expect(key).toMatch(/^navigator:((last-)?answers:[0-9a-f-]{36}|query-vectors:-):[\w-]{43}$/);
  });
});
