import { Embedder } from '../providers/provider.js';
import { type CallPolicy, QueryEmbedder, type TextCache } from './query-embedder.js';

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

class MapCache implements TextCache {
  readonly entries = new Map<string, string>();
  get = (key: string) => Promise.resolve(this.entries.get(key));
  set = (key: string, value: string) => Promise.resolve(void this.entries.set(key, value));
}

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

  it('goes through the policy, and remembers nothing when that refuses', async () => {
    const cache = new MapCache();
    const open: CallPolicy = { execute: () => Promise.reject(new Error('the circuit is open')) };
    await expect(new QueryEmbedder(new CountingEmbedder(), open, cache).embed('x', signal)).rejects.toThrow(
      'the circuit is open',
    );
    expect(cache.entries.size).toBe(0);
  });
});
