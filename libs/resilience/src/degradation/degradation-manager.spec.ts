import { setTimeout as wait } from 'node:timers/promises';
import { DependencyTimeout, DependencyUnavailable, DomainError, TransientFailure } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import {
  CachedFallback,
  currentDegradations,
  DegradationManager,
  type DegradationOptions,
  FunctionFallback,
  type LevelChange,
  type ServiceLevel,
  ServiceLevelNotMet,
  StaticFallback,
  StreamFallback,
  type StreamOptions,
} from './index.js';

type Options = DegradationOptions<string, string, string>;
type Manager = DegradationManager<string, string, string>;
const never = new AbortController().signal;

const managerOf = (options: Options = {}): Manager => new DegradationManager('answer.generate', options);
const says = (name: string, level: ServiceLevel = 'full') =>
  new FunctionFallback<string, string>(name, level, async (question) => `${name}: ${question}`);
const fails = (name: string, error: unknown, level: ServiceLevel = 'full') =>
  new FunctionFallback<string, string>(name, level, () => Promise.reject(error as Error));
const streams = (name: string, level: ServiceLevel, ...items: (string | Error)[]) =>
  new StreamFallback<string, string, string>(name, level, async function* () {
    for (const item of items) {
      if (item instanceof Error) throw item;
      yield item;
    }
    return items.join('');
  });

class Refused extends DomainError {
  readonly code = 'refused';
  readonly kind = 'forbidden' as const;
}

describe('a ladder of fallbacks', () => {
  it('serves by its first step and has nothing to report', async () => {
    const served = await managerOf({ steps: [says('model'), says('other', 'degraded')] }).serve(
      'why?',
      never,
    );
    expect(served).toEqual({ value: 'model: why?', servedBy: 'model', level: 'full', degradations: [] });
  });

  it('takes the next step after a failure, and says which level that is and why', async () => {
    const steps = [
      fails('a', new DependencyUnavailable('model:a', { reason: 'circuit-open' })),
      fails('b', new DependencyTimeout('model:b'), 'degraded'),
      fails('c', new TransientFailure('reset'), 'degraded'),
      says('extract', 'minimal'),
    ];
    const served = await managerOf({ steps }).serve('why?', never);
    const degradation = {
      capability: 'answer.generate',
      level: 'minimal',
      fallback: 'extract',
      since: expect.stringMatching(/^\d{4}-.*Z$/),
    };
    expect(served).toEqual({
      value: 'extract: why?',
      servedBy: 'extract',
      level: 'minimal',
      degradations: [
        { ...degradation, reason: 'model:a: circuit-open' },
        { ...degradation, reason: 'model:b: timeout' },
        { ...degradation, reason: 'TransientFailure' },
      ],
    });
  });

  it('tells of every step down', async () => {
    const down: unknown[] = [];
    const error = new TransientFailure('reset');
    const onStepDown = (...told: unknown[]) => down.push(told);
    await managerOf({ steps: [fails('a', error), says('b')], onStepDown }).serve('why?', never);
    expect(down).toEqual([['a', 'TransientFailure', error]]);
  });

  it('passes over what cannot serve this request without calling it a failure', async () => {
    const miss = new CachedFallback<string, string>('cache', 'full', async () => undefined);
    const broken = new CachedFallback<string, string>('stale', 'degraded', () =>
      Promise.reject(new Error('down')),
    );
    const served = await managerOf({ steps: [miss, broken, says('model')] }).serve('why?', never);
    expect(served).toMatchObject({ servedBy: 'model', level: 'full', degradations: [] });
  });

  it('gives a static step the reason, so that it can be honest', async () => {
    const guidance = new StaticFallback<string, string>(
      'guidance',
      'minimal',
      (question, reason) => `no answer to ${question} (${reason})`,
    );
    const down = fails('a', new DependencyUnavailable('postgres'));
    const served = await managerOf({ steps: [down, guidance] }).serve('why?', never);
    expect(served.value).toBe('no answer to why? (postgres: failed)');
    const fixed = new StaticFallback<string, string>('guidance', 'minimal', 'call us');
    expect((await managerOf({ steps: [fixed] }).serve('why?', never)).value).toBe('call us');
  });

  it.each([
    ['a bug', new TypeError('x is not a function')],
    ["the request's own fault", new Refused('no')],
  ])('hides neither a bug nor %s', async (_, error) => {
    const manager = managerOf({ steps: [fails('a', error), says('b')] });
    await expect(manager.serve('why?', never)).rejects.toBe(error);
    expect(manager.current().level).toBe('full');
  });

  it('blames nobody either when the client leaves during the last step', async () => {
    const client = new AbortController();
    const left = new Error('left');
    const cache = new CachedFallback<string, string>('cache', 'full', async () => {
      client.abort(left);
      throw left;
    });
    const manager = managerOf({ steps: [cache] });
    await expect(manager.serve('why?', client.signal)).rejects.toBe(left);
    expect(manager.current().level).toBe('full');
  });

  it('goes on after what its owner expects', async () => {
    const isExpected = (error: unknown) => error instanceof TypeError;
    const steps = [fails('a', new TypeError()), says('b')];
    expect((await managerOf({ steps, isExpected }).serve('why?', never)).servedBy).toBe('b');
    const other = [fails('a', new TransientFailure('x')), says('b')];
    await expect(managerOf({ steps: other, isExpected }).serve('why?', never)).rejects.toThrow(
      TransientFailure,
    );
  });

  it('says of an error only what it is, never its message, which may quote a document', async () => {
    const isExpected = () => true;
    const reasonOf = async (error: unknown) =>
      (
        await managerOf({ steps: [fails('a', error), says('b', 'degraded')], isExpected }).serve(
          'why?',
          never,
        )
      ).degradations[0]!.reason;
    expect(await reasonOf(new RangeError('John has diabetes'))).toBe('RangeError');
    expect(await reasonOf(new Refused('John has diabetes'))).toBe('refused');
    expect(await reasonOf('John has diabetes')).toBe('unknown');
  });

  it('throws the last error when no step serves, and is unavailable', async () => {
    const last = new DependencyTimeout('model:b');
    const manager = managerOf({ steps: [fails('a', new TransientFailure('x')), fails('b', last)] });
    await expect(manager.serve('why?', never)).rejects.toBe(last);
    expect(manager.current()).toMatchObject({
      level: 'unavailable',
      reasons: ['TransientFailure', 'model:b: timeout'],
    });
    await expect(managerOf().serve('why?', never)).rejects.toThrow(DependencyUnavailable);
  });

  it('stops when the client leaves, whatever the step makes of it, and blames nobody', async () => {
    const client = new AbortController();
    const left = new Error('left');
    const asked: string[] = [];
    const leaving = new FunctionFallback<string, string>('a', 'full', () => {
      client.abort(left);
      return Promise.reject(new TransientFailure('aborted'));
    });
    const next = new FunctionFallback<string, string>('b', 'full', async () => (asked.push('b'), 'b'));
    const manager = managerOf({ steps: [leaving, next] });
    await expect(manager.serve('why?', client.signal)).rejects.toBe(left);
    await expect(manager.serve('why?', client.signal)).rejects.toBe(left);
    expect(asked).toEqual([]);
    expect(manager.current()).toMatchObject({ level: 'full', reasons: [] });
  });

  describe('for a client that asks for a level', () => {
    it('serves what meets it', async () => {
      const steps = [fails('a', new TransientFailure('x')), says('b', 'degraded')];
      const served = await managerOf({ steps }).serve('why?', never, { atLeast: 'degraded' });
      expect(served).toMatchObject({ servedBy: 'b', level: 'degraded' });
    });

    it('refuses to serve less, without trying, and says what could be had and when to come back', async () => {
      const asked: string[] = [];
      const down = new DependencyUnavailable('model:a', { retryAfterMs: 12_345 });
      const low = (name: string, level: ServiceLevel) =>
        new FunctionFallback<string, string>(name, level, async () => (asked.push(name), name));
      const steps = [fails('a', down), low('b', 'degraded'), low('c', 'minimal')];
      const error = await managerOf({ steps })
        .serve('why?', never, { atLeast: 'full' })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ServiceLevelNotMet);
      expect(error).toMatchObject({
        code: 'service-level-not-met',
        kind: 'unavailable',
        extra: { required: 'full', available: 'degraded' },
        retryAfterMs: 12_345,
        cause: down,
      });
      expect(asked).toEqual([]);
    });

    it('serves by a later step that meets it', async () => {
      const steps = [says('stale', 'degraded'), says('extract', 'full')];
      const served = await managerOf({ steps }).serve('why?', never, { atLeast: 'full' });
      expect(served).toMatchObject({ servedBy: 'extract', level: 'full' });
    });

    it('looks again at a level that shows only while the step is at work', async () => {
      let found: ServiceLevel = 'full';
      const step = new FunctionFallback<string, string>(
        'model',
        () => found,
        async () => ((found = 'degraded'), 'from words alone'),
      );
      await expect(managerOf({ steps: [step] }).serve('?', never, { atLeast: 'full' })).rejects.toThrow(
        ServiceLevelNotMet,
      );
      found = 'full';
      expect(await managerOf({ steps: [step] }).serve('?', never)).toMatchObject({ level: 'degraded' });
    });
  });

  describe('that streams', () => {
    async function read(
      options: StreamOptions<string, string, string>,
      signal = never,
      manager = managerOf(),
    ) {
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
});

describe('the level of a capability', () => {
  const clocked = (options: Options = {}) => {
    const clock = new VirtualClock();
    return { clock, manager: managerOf({ clock, ...options }) };
  };

  it('is full until something else is known', () => {
    expect(managerOf().current()).toEqual({ level: 'full', since: expect.any(String), reasons: [] });
  });

  it('falls at once and rises after ten seconds without anything worse', async () => {
    const { clock, manager } = clocked();
    manager.observe('minimal', 'model:a: circuit-open', 'extract');
    manager.observe('full');
    expect(manager.current()).toMatchObject({ level: 'minimal', reasons: ['model:a: circuit-open'] });
    await clock.advance(9_999);
    expect(manager.current().level).toBe('minimal');
    await clock.advance(1);
    expect(manager.current()).toMatchObject({ level: 'full', reasons: [] });
  });

  it('rises step by step when what was seen got better step by step', async () => {
    const { clock, manager } = clocked();
    manager.observe('unavailable', 'down');
    await clock.advance(5_000);
    manager.observe('degraded', 'slow');
    expect(manager.current()).toMatchObject({ level: 'unavailable', reasons: ['down', 'slow'] });
    await clock.advance(5_000);
    expect(manager.current()).toMatchObject({ level: 'degraded', reasons: ['slow'] });
    await clock.advance(5_000);
    expect(manager.current().level).toBe('full');
  });

  it('follows its condition without a request, as steadily', async () => {
    let open = true;
    const condition = () =>
      open ? { level: 'minimal' as const, reason: 'model:a: circuit-open' } : { level: 'full' as const };
    const { clock, manager } = clocked({ condition });
    expect(manager.current()).toMatchObject({ level: 'minimal', reasons: ['model:a: circuit-open'] });
    open = false;
    await clock.advance(9_999);
    expect(manager.current().level).toBe('minimal');
    await clock.advance(1);
    expect(manager.current().level).toBe('full');
  });

  it('counts what was served', async () => {
    const { manager } = clocked({ steps: [fails('a', new TransientFailure('x')), says('b', 'degraded')] });
    await manager.serve('why?', never);
    expect(manager.current()).toMatchObject({ level: 'degraded', reasons: ['TransientFailure'] });
  });

  it('knows since when, of itself and of each reason', async () => {
    const { clock, manager } = clocked();
    const { since: before } = manager.current();
    await wait(2);
    const first = manager.observe('degraded', 'slow')!;
    const { since } = manager.current();
    expect(since > before).toBe(true);
    await wait(2);
    await clock.advance(9_000);
    expect(manager.observe('degraded', 'slow')!.since).toBe(first.since);
    expect(manager.current().since).toBe(since);
    await clock.advance(10_000);
    expect(manager.observe('degraded', 'slow')!.since > first.since).toBe(true);
  });

  it('remembers a bounded number of reasons, the latest', () => {
    const { manager } = clocked();
    for (let i = 0; i < 100; i++) manager.observe('degraded', `reason ${i}`);
    const { reasons } = manager.current();
    expect(reasons).toHaveLength(16);
    expect(reasons).toContain('reason 99');
  });

  it('tells of each change once', async () => {
    const { clock, manager } = clocked();
    const changes: LevelChange[] = [];
    const stop = manager.subscribe((change) => changes.push(change));
    for (let i = 0; i < 3; i++) manager.observe('degraded', 'slow');
    await clock.advance(20_000);
    manager.current();
    manager.current();
    expect(changes).toEqual([
      { capability: 'answer.generate', from: 'full', to: 'degraded', reasons: ['slow'] },
      { capability: 'answer.generate', from: 'degraded', to: 'full', reasons: [] },
    ]);
    stop();
    manager.observe('minimal', 'down');
    expect(changes).toHaveLength(2);
  });
});

describe('the degradations of a request', () => {
  it('are each noted once, in order, for this request alone', () => {
    const semantic = new DegradationManager('retrieve.semantic');
    const noted = runInContext(newContext({ requestId: 'r' }), () => {
      semantic.observe('degraded', 'embedder: circuit-open', 'lexical');
      semantic.observe('degraded', 'embedder: circuit-open', 'lexical');
      semantic.observe('full');
      managerOf().observe('minimal', 'model:a: failed', 'extractive');
      return currentDegradations();
    });
    expect(noted).toMatchObject([
      { capability: 'retrieve.semantic', reason: 'embedder: circuit-open', fallback: 'lexical' },
      { capability: 'answer.generate', reason: 'model:a: failed', fallback: 'extractive' },
    ]);
    runInContext(newContext({ requestId: 's' }), () => expect(currentDegradations()).toEqual([]));
  });

  it('are none outside of a request', () => {
    managerOf().observe('degraded', 'slow');
    expect(currentDegradations()).toEqual([]);
  });
});

describe('a capability of security', () => {
  const allow = new StaticFallback<string, boolean>('allow', 'degraded', true);

  it.each(['auth.verify', 'auth.login', 'audit.write'] as const)(
    '%s takes no fixed answer for a proof',
    async (capability) => {
      expect(() => new DegradationManager(capability, { steps: [allow] })).toThrow(/must not fall back/);
      const manager = new DegradationManager<string, boolean>(capability);
      await expect(manager.serve('token', never, { steps: [allow] })).rejects.toThrow(/must not fall back/);
    },
  );

  it('denies when nothing that proves is left', async () => {
    const verify = new FunctionFallback<string, boolean>('database', 'full', () =>
      Promise.reject(new DependencyUnavailable('postgres')),
    );
    const manager = new DegradationManager<string, boolean>('auth.verify', { steps: [verify] });
    await expect(manager.serve('token', never)).rejects.toThrow(DependencyUnavailable);
    expect(manager.current().level).toBe('unavailable');
  });
});
