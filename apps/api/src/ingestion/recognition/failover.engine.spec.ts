import { DependencyUnavailable } from '#libs/errors';
import { ModelRejected } from '../../rag/index.js';
import { ParseFailure } from '../parsing/index.js';
import { FailoverOcr } from './failover.engine.js';
import { OcrEngine, type OcrResult, type PageImage } from './ocr-engine.js';

class FakeOcr extends OcrEngine {
  readonly imageType = 'image/jpeg';
  calls = 0;
  constructor(
    readonly name: string,
    private readonly outcome: () => Promise<OcrResult>,
  ) {
    super();
  }
  recognise(): Promise<OcrResult> {
    this.calls += 1;
    return this.outcome();
  }
}

const says = (text: string) => () => Promise.resolve<OcrResult>({ kind: 'plain', text });
const fails = (error: Error) => () => Promise.reject<OcrResult>(error);
const policy = {
  execute: (work: (signal: AbortSignal) => Promise<never>, { signal }: { signal: AbortSignal }) =>
    work(signal),
};
const image: PageImage = { bytes: new Uint8Array(), mediaType: 'image/jpeg', width: 1, height: 1, dpi: null };

function engines(outcome: () => Promise<OcrResult>) {
  const outside = new FakeOcr('openai:seer', outcome);
  const embedded = new FakeOcr('embedded:own', says('embedded'));
  return { engine: new FailoverOcr(outside, policy as never, embedded), embedded };
}

describe('FailoverOcr', () => {
  const { signal } = new AbortController();

  it('lets the outside engine read as long as it does', async () => {
    const { engine, embedded } = engines(says('outside'));
    expect(await engine.recognise(image, signal)).toEqual({ kind: 'plain', text: 'outside' });
    expect([engine.name, embedded.calls]).toEqual(['openai:seer', 0]);
  });

  it.each([
    { what: 'cannot', error: new DependencyUnavailable('ocr') },
    { what: 'will not', error: new ModelRejected('openai:seer', 'refusal') },
  ])('lets the embedded one read when the other $what', async ({ error }) => {
    expect(await engines(fails(error)).engine.recognise(image, signal)).toMatchObject({ text: 'embedded' });
  });

  it('passes on what is wrong with the picture, and that nobody waits any more', async () => {
    const broken = new ParseFailure('recognition-failed');
    await expect(engines(fails(broken)).engine.recognise(image, signal)).rejects.toBe(broken);
    const left = AbortSignal.abort(new Error('left'));
    const { engine, embedded } = engines(fails(new DependencyUnavailable('ocr')));
    await expect(engine.recognise(image, left)).rejects.toThrow('left');
    expect(embedded.calls).toBe(0);
  });
});
