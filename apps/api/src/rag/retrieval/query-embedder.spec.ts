import { Caches } from '#libs/cache';
import type { CallOptions } from '#libs/resilience';
import { Embedder } from '../providers/provider.js';
import { type CallPolicy, QueryEmbedder, type TextCache, vectorText } from './query-embedder.js';

class CountingEmbedder extends Embedder {
  readonly dimensions = 3;
  readonly texts: string[] = [];
  constructor(readonly model = 'counting-1') {
    super();
  }
  embed(texts: readonly string[]): Promise<Float32Array[]> {
    this.texts.push(...texts);
    return Promise.resolve(texts.map((text) => Float32Array.of(text.length, 0.1, -1)));
  }
}

/** What is kept in it can be seen. */
class MapCache implements TextCache {
  readonly entries = new Map<string, string>();
  async wrap(key: string, load: (signal: AbortSignal) => Promise<string>): Promise<string> {
    const text = this.entries.get(key) ?? (await load(signal));
    this.entries.set(key, text);
    return text;
  }
}

const realCache = () => Caches.inMemory().named('query-vectors', { ttlSeconds: 60, schema: vectorText(3) });
const signal = new AbortController().signal;
const through: CallPolicy = { execute: (call) => call(signal) };

describe('embedding a question', () => {
  it('computes it once, and gives exactly the same vector again', async () => {
    const embedder = new CountingEmbedder();
    const queries = new QueryEmbedder(embedder, through, new MapCache());
    const first = await queries.embed('Is my dog covered?', signal);
    expect(await queries.embed('Is my dog covered?', signal)).toEqual(first);
    expect(embedder.texts).toEqual(['Is my dog covered?']);
  });

  it('takes no notice of how the question is spaced', async () => {
    const embedder = new CountingEmbedder();
    const queries = new QueryEmbedder(embedder, through, new MapCache());
    await queries.embed('  Is my\n dog  covered? ', signal);
    await queries.embed('Is my dog covered?', signal);
    expect(embedder.texts).toEqual(['Is my dog covered?']);
  });

  it('never mixes the vectors of two models, and leaves no word of a question in the cache', async () => {
    const cache = new MapCache();
    const [one, two] = [new CountingEmbedder('one'), new CountingEmbedder('two')];
    await new QueryEmbedder(one, through, cache).embed('Am I pregnant?', signal);
    await new QueryEmbedder(two, through, cache).embed('Am I pregnant?', signal);
    expect([one.texts.length, two.texts.length]).toEqual([1, 1]);
    expect([...cache.entries].flat().join()).not.toMatch(/pregnant/i);
  });

  it('computes it once for all who ask it at the same moment, and for the others when one leaves', async () => {
    const embedder = new CountingEmbedder();
    const begin = Promise.withResolvers<void>();
    const slow: CallPolicy = { execute: async (call) => begin.promise.then(() => call(signal)) };
    const queries = new QueryEmbedder(embedder, slow, realCache());
    const leaving = new AbortController();
    const left = queries.embed('Is my dog covered?', leaving.signal);
    const stayed = [1, 2, 3].map(() => queries.embed('Is my  dog covered?', signal));
    leaving.abort(new Error('the client left'));
    await expect(left).rejects.toThrow('the client left');
    begin.resolve();
    const [first, ...others] = await Promise.all(stayed);
    for (const other of others) expect(other).toEqual(first);
    expect(embedder.texts).toEqual(['Is my dog covered?']);
  });

  it('may be tried again, and says what it is', async () => {
    const asked: CallOptions[] = [];
    const noting: CallPolicy = {
      execute: (call, options) => {
        asked.push(options!);
        return call(signal);
      },
    };
    await new QueryEmbedder(new CountingEmbedder(), noting, new MapCache()).embed('x', signal);
    expect(asked).toMatchObject([{ idempotent: true, operation: 'embed-question' }]);
  });

  it('takes nothing else from a cache than a vector of the model', () => {
    const schema = vectorText(3);
    const vector = Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('base64');
    expect(schema.safeParse(vector).success).toBe(true);
    for (const wrong of ['', 'AAAA', 'not base64!', Buffer.alloc(64).toString('base64'), 7])
      expect(schema.safeParse(wrong).success).toBe(false);
  });

  it('goes through the policy, and remembers nothing when that refuses', async () => {
    const cache = new MapCache();
    const open: CallPolicy = { execute: () => Promise.reject(new Error('the circuit is open')) };
    await expect(new QueryEmbedder(new CountingEmbedder(), open, cache).embed('x', signal)).rejects.toThrow(
      'the circuit is open',
    );
    expect(cache.entries.size).toBe(0);
  });
});
