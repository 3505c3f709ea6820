import { TransientFailure } from '#libs/errors';
import { managerOf, never, says, streams } from '../../../../test/support/ladder-steps.js';
import { type ServiceLevel, ServiceLevelNotMet, StreamFallback, type StreamOptions } from './index.js';

describe('a ladder of fallbacks that streams', () => {
  async function read(options: StreamOptions<string, string, string>, signal = never, manager = managerOf()) {
    const stream = manager.serveStream('why?', signal, options);
    const items: string[] = [];
    try {
      for (let next = await stream.next(); ; next = await stream.next()) {
        if (next.done) return { items, served: next.value };
        items.push(next.value);
      }
    } catch (error) {
      return { items, error };
    }
  }

  it('gives out the items and returns the whole', async () => {
    expect(await read({ steps: [streams('a', 'full', 'x', 'y')] })).toEqual({
      items: ['x', 'y'],
      served: { value: 'xy', servedBy: 'a', level: 'full', degradations: [] },
    });
  });

  it('takes the next step before the first item', async () => {
    const steps = [
      streams('a', 'full', new TransientFailure('503')),
      streams('b', 'degraded', 'x'),
      says('unused'),
    ];
    expect(await read({ steps })).toMatchObject({
      items: ['x'],
      served: { servedBy: 'b', level: 'degraded' },
    });
  });

  it('takes no other step after it', async () => {
    const reset = new TransientFailure('reset');
    const steps = [streams('a', 'full', 'x', reset), says('b')];
    expect(await read({ steps })).toEqual({ items: ['x'], error: reset });
    const interrupted = (step: string, cause: unknown) => new Error(`${step} broke off`, { cause });
    const { error } = await read({ steps, interrupted });
    expect(error).toMatchObject({ message: 'a broke off', cause: reset });
  });

  it('says why the client left, and not that it broke off, when both are so', async () => {
    const client = new AbortController();
    const left = new Error('left');
    const step = new StreamFallback<string, string, string>('a', 'full', async function* () {
      yield 'x';
      client.abort(left);
      throw new TransientFailure('aborted');
    });
    expect(await read({ steps: [step] }, client.signal)).toEqual({ items: ['x'], error: left });
  });

  it('may give out first what binds nobody', async () => {
    const steps = [
      streams('a', 'full', 'results', new TransientFailure('reset')),
      streams('b', 'degraded', 'results', 'x', new TransientFailure('reset')),
    ];
    const { items, error } = await read({ steps, commits: (item) => item !== 'results' });
    expect(items).toEqual(['results', 'results', 'x']);
    expect(error).toBeInstanceOf(TransientFailure);
  });

  it('mixes steps that stream with steps that do not', async () => {
    const steps = [streams('a', 'full', new TransientFailure('503')), says('extract', 'minimal')];
    expect(await read({ steps })).toMatchObject({ items: [], served: { value: 'extract: why?' } });
  });

  it('serves the whole at once from the same steps, and then a step that breaks off may be replaced', async () => {
    const steps = [
      streams('a', 'full', 'x', new TransientFailure('reset')),
      streams('b', 'degraded', 'x', 'y'),
    ];
    expect(await managerOf({ steps }).serve('why?', never)).toMatchObject({ value: 'xy', servedBy: 'b' });
  });

  it('gives out nothing of a step that turns out to be below the level asked for, and stops it', async () => {
    let found: ServiceLevel = 'full';
    let stopped = false;
    const step = new StreamFallback<string, string, string>(
      'a',
      () => found,
      async function* () {
        found = 'degraded';
        try {
          yield 'x';
        } finally {
          stopped = true;
        }
        return 'x';
      },
    );
    const { items, error } = await read({ steps: [step], atLeast: 'full' });
    expect(items).toEqual([]);
    expect(error).toBeInstanceOf(ServiceLevelNotMet);
    expect(stopped).toBe(true);
  });

  it('treats a step that gives something out and then cannot serve as broken', async () => {
    const step = new StreamFallback<string, string, string>('a', 'full', async function* () {
      yield 'x';
      return undefined;
    });
    const { error } = await read({ steps: [step, says('b')] });
    expect(error).toMatchObject({ message: expect.stringContaining('a gave something out') });
  });

  it('stops the step when its reader leaves', async () => {
    let stopped = false;
    const step = new StreamFallback<string, string, string>('a', 'full', async function* () {
      try {
        yield 'x';
        yield 'y';
      } finally {
        stopped = true;
      }
      return 'xy';
    });
    for await (const item of managerOf({ steps: [step] }).serveStream('why?', never)) {
      expect(item).toBe('x');
      break;
    }
    expect(stopped).toBe(true);
  });
});
