import { setTimeout as wait } from 'node:timers/promises';
import { TransientFailure } from '#libs/errors';
import { newContext, runInContext, sumOfMetric } from '#libs/observability';
import { fails, managerOf, never, says } from '../../../../test/support/ladder-steps.js';
import { VirtualClock } from '../../../../test/support/virtual-clock.js';
import {
  currentDegradations,
  DegradationManager,
  type DegradationOptions,
  type LevelChange,
} from './index.js';

describe('the level of a capability', () => {
  const clocked = (options: DegradationOptions<string, string, string> = {}) => {
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
    const { manager: lesser } = clocked({ steps: [says('a', 'minimal')] });
    await lesser.serve('why?', never);
    expect(lesser.current()).toMatchObject({ level: 'minimal', reasons: [] });
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

  it('names the worst reason first, however much better it looked later', () => {
    const { manager } = clocked();
    manager.observe('degraded', 'slow');
    manager.observe('unavailable', 'down');
    manager.observe('minimal', 'half');
    manager.observe('degraded', 'down');
    expect(manager.current().reasons).toEqual(['down', 'half', 'slow']);
  });

  it('names no reason for what is full', () => {
    const { manager } = clocked();
    manager.observe('degraded', 'slow');
    expect(manager.observe('full', 'well again')).toBeUndefined();
    manager.observe('minimal');
    expect(manager.current().reasons).toEqual(['slow']);
  });

  it('forgets the reason that was not seen for longest when there are too many', () => {
    const { manager } = clocked();
    for (let i = 0; i < 16; i++) manager.observe('degraded', `reason ${i}`);
    manager.observe('degraded', 'reason 0');
    manager.observe('degraded', 'one more');
    const { reasons } = manager.current();
    expect(reasons).toContain('reason 0');
    expect(reasons).not.toContain('reason 1');
  });

  it('is a number in metrics', async () => {
    const { clock, manager } = clocked();
    const shown = () => sumOfMetric('navigator_service_level', { capability: 'answer.generate' });
    expect(await shown()).toBe(0);
    manager.observe('minimal', 'down');
    expect(await shown()).toBe(2);
    await clock.advance(10_000);
    manager.observe('degraded', 'slow');
    expect(await shown()).toBe(1);
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
      semantic.observe('degraded', 'index: circuit-open', 'lexical');
      semantic.observe('full');
      managerOf().observe('minimal', 'embedder: circuit-open', 'extractive');
      managerOf().observe('minimal', 'model:a: failed');
      return currentDegradations();
    });
    expect(noted).toMatchObject([
      { capability: 'retrieve.semantic', reason: 'embedder: circuit-open', fallback: 'lexical' },
      { capability: 'retrieve.semantic', reason: 'index: circuit-open', fallback: 'lexical' },
      { capability: 'answer.generate', reason: 'embedder: circuit-open', fallback: 'extractive' },
      { capability: 'answer.generate', reason: 'model:a: failed', fallback: 'none' },
    ]);
    runInContext(newContext({ requestId: 's' }), () => expect(currentDegradations()).toEqual([]));
  });

  it('are none outside of a request', () => {
    managerOf().observe('degraded', 'slow');
    expect(currentDegradations()).toEqual([]);
  });
});
