import { LocalEmbedder } from '../../apps/api/src/rag/providers/local.embedder.js';

const never = new AbortController().signal;
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const passage = (i: number) =>
  `Passage ${i}. The plan pays for covered services after the deductible of the year has been met, and your share is the coinsurance. `.repeat(
    4,
  );

describe('the embedder that runs on this machine', () => {
  const embedder = new LocalEmbedder({ threads: 1, idleMs: 60_000 });

  afterAll(() => embedder.onApplicationShutdown());

  it('gives vectors of 512 dimensions and length 1, the same ones every time', async () => {
    const texts = ['What is the deductible?', 'Do I need a referral to see a specialist?'];
    const [once, twice] = [await embedder.embed(texts, never), await embedder.embed(texts, never)];
    expect(once).toHaveLength(2);
    for (const vector of once) {
      expect(vector).toHaveLength(512);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
    }
    expect(twice).toEqual(once);
  });

  it('puts texts of like meaning closer together than others', async () => {
    const [question, answer, other] = await embedder.embed(
      [
        'How much do I pay to see a doctor?',
        'The fee for a visit to your physician is $25.',
        'Complaints must be filed within 180 days.',
      ],
      never,
    );
    expect(dot(question!, answer!)).toBeGreaterThan(dot(question!, other!) + 0.1);
  });

  it('answers in the order of the texts, whatever their lengths, and no text changes the vector of another', async () => {
    const texts = [passage(1), 'copay', passage(2), 'Is acupuncture covered?', 'deductible', passage(3)];
    const together = await embedder.embed(texts, never);
    for (const [i, text] of texts.entries()) {
      const [alone] = await embedder.embed([text], never);
      expect(dot(alone!, together[i]!)).toBeCloseTo(1, 4);
    }
  });

  it('reads the beginning of a text that is far too long', async () => {
    const [long, cut] = await embedder.embed([passage(1).repeat(500), passage(1).repeat(10)], never);
    expect(dot(long!, cut!)).toBeCloseTo(1, 4);
  });

  it('lets a question pass the passages that are waiting', async () => {
    const finished: string[] = [];
    const bulk = embedder
      .embed(
        Array.from({ length: 12 }, (_, i) => passage(i)),
        never,
      )
      .then(() => finished.push('passages'));
    const question = embedder.embed(['Is my dog insured?'], never).then(() => finished.push('question'));
    await Promise.all([bulk, question]);
    expect(finished).toEqual(['question', 'passages']);
  });

  it('takes back what was aborted before its turn, and goes on with the rest', async () => {
    const abort = new AbortController();
    const aborted = embedder.embed(
      Array.from({ length: 50 }, (_, i) => passage(i)),
      abort.signal,
    );
    const kept = embedder.embed([passage(1), passage(2), passage(3)], never);
    abort.abort(new Error('the client left'));
    await expect(aborted).rejects.toThrow('the client left');
    await expect(kept).resolves.toHaveLength(3);
  });

  it('refuses an empty text, and work when it was aborted before', async () => {
    await expect(embedder.embed(['fine', ' \n'], never)).rejects.toThrow('nothing to embed');
    await expect(embedder.embed(['fine'], AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
  });

  it('ends what is waiting when the program stops', async () => {
    const stopping = new LocalEmbedder({ threads: 1, idleMs: 60_000 });
    const work = stopping.embed([passage(1), passage(2), passage(3)], never);
    const refused = expect(work).rejects.toThrow(/stopping|failed/);
    await stopping.onApplicationShutdown();
    await refused;
    await expect(stopping.embed(['too late'], never)).rejects.toThrow('stopping');
  });
});
