import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import { ModelRejected } from '../../rag/index.js';
import { FailoverTranscriber } from './failover.transcriber.js';
import { Transcriber, type Transcript } from './transcriber.js';

class Says extends Transcriber {
  calls = 0;
  constructor(
    readonly name: string,
    private readonly failure?: Error,
  ) {
    super();
  }
  transcribe(): Promise<Transcript> {
    this.calls += 1;
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve({ text: 'Hello.', heardBy: this.name, cpuSeconds: 0, cost: 0 });
  }
}

const open = {
  execute: <T>(call: (signal: AbortSignal) => Promise<T>) => call(new AbortController().signal),
};
const samples = new Float32Array(16_000);

function hear(outside: Says, signal = new AbortController().signal) {
  const embedded = new Says('embedded:one');
  const transcriber = new FailoverTranscriber(outside, open as never, embedded);
  return { embedded, heard: transcriber.transcribe(samples, signal) };
}

describe('FailoverTranscriber', () => {
  it('leaves the outside transcriber to its work as long as that can be had', async () => {
    const { embedded, heard } = hear(new Says('openai:one'));
    expect((await heard).heardBy).toBe('openai:one');
    expect(embedded.calls).toBe(0);
  });

  it.each([
    new DependencyUnavailable('transcriber', { reason: 'circuit-open' }),
    new DependencyTimeout('transcriber'),
    new ModelRejected('openai:one', '400'),
  ])('takes its place after a %s', async (failure) => {
    const { heard } = hear(new Says('openai:one', failure));
    expect((await heard).heardBy).toBe('embedded:one');
  });

  it('hides no bug and ends with its caller', async () => {
    const { embedded, heard } = hear(new Says('openai:one', new TypeError('a bug')));
    await expect(heard).rejects.toThrow('a bug');
    const left = AbortSignal.abort(new Error('Left'));
    const gone = hear(new Says('openai:one', new DependencyUnavailable('transcriber', {})), left);
    await expect(gone.heard).rejects.toThrow('Left');
    expect(embedded.calls + gone.embedded.calls).toBe(0);
  });
});
