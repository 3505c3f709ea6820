import {
  DeadlineExceeded,
  DependencyTimeout,
  DependencyUnavailable,
  DomainError,
  TransientFailure,
} from '#libs/errors';
import { fails, managerOf, never, says } from '../../../../test/support/ladder-steps.js';
import {
  CachedFallback,
  DegradationManager,
  FunctionFallback,
  type ServiceLevel,
  ServiceLevelNotMet,
  StaticFallback,
} from './index.js';

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

  it('takes the next step when there was no time left for one, and names each reason once', async () => {
    const steps = [
      fails('a', new DeadlineExceeded()),
      fails('b', new DeadlineExceeded()),
      says('extract', 'minimal'),
    ];
    const { degradations } = await managerOf({ steps }).serve('why?', never);
    expect(degradations.map(({ reason }) => reason)).toEqual(['deadline-exceeded']);
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
    expect(await managerOf({ steps, isExpected }).serve('why?', never)).toMatchObject({
      servedBy: 'b',
      level: 'full',
      degradations: [],
    });
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

  it('does not even begin for a client who has left', async () => {
    const asked: string[] = [];
    const step = new FunctionFallback<string, string>('a', 'full', async () => (asked.push('a'), 'a'));
    const manager = managerOf({ steps: [step] });
    await expect(manager.serve('why?', AbortSignal.abort('left'))).rejects.toBe('left');
    expect(asked).toEqual([]);
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
