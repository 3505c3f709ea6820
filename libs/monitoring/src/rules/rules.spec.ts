import { counter, gauge } from '#libs/observability';
import type { Policy } from '#libs/resilience';
import { capabilityBelowFull } from './capability-rule.js';
import { eventLoopStalled } from './event-loop-rule.js';
import { counterIncreased, gaugeAbove } from './metric-rules.js';
import { circuitOpen, policySaturated, retryBudgetExhausted } from './policy-rules.js';

let now = 0;
const clock = { now: () => now, after: () => () => undefined };

/** As much of a policy as the rules look at. */
const policy = (name: string, state: Policy['state'], description: object = {}) =>
  ({ name, state, describe: () => description }) as unknown as Policy;
const registry = (...policies: Policy[]) => ({ list: () => policies });
const subjects = async (rule: { observe(): unknown }) =>
  ((await rule.observe()) as { subject: string }[]).map(({ subject }) => subject);

describe('rules about policies', () => {
  it('see a circuit that is open or on trial, as grave as its dependency', () => {
    const rule = circuitOpen(
      registry(
        policy('postgres', 'open'),
        policy('cache', 'half-open'),
        policy('parser', 'closed'),
        policy('embedder', 'isolated'),
      ),
      (name) => (name === 'postgres' ? 'critical' : 'error'),
    );
    expect(rule.observe()).toMatchObject([
      { subject: 'postgres', severity: 'critical' },
      { subject: 'cache', severity: 'error' },
    ]);
  });

  it('see a policy without permits whose callers wait', async () => {
    const permits = (inUse: number, queued: number) => ({ permits: { inUse, limit: 4, queued } });
    const rule = policySaturated(
      registry(
        policy('full', 'closed', permits(4, 2)),
        policy('busy', 'closed', permits(4, 0)),
        policy('paced', 'closed', permits(3, 2)),
        policy('unlimited', 'closed'),
      ),
    );
    expect(await subjects(rule)).toEqual(['full']);
  });

  it('see a retry budget that does not pay for one more', async () => {
    const rule = retryBudgetExhausted(
      registry(
        policy('spent', 'closed', { retryBudgetLeft: 0.4 }),
        policy('left', 'closed', { retryBudgetLeft: 1 }),
        policy('never-retried', 'closed'),
      ),
    );
    expect(await subjects(rule)).toEqual(['spent']);
  });
});

describe('the rule about capabilities', () => {
  it('sees what is below its full level, as grave as the level', () => {
    const since = new Date(0).toISOString();
    const rule = capabilityBelowFull(
      {
        list: () => [
          { capability: 'answer.generate', level: 'minimal', since, reasons: ['model: circuit-open'] },
          { capability: 'ingest.accept', level: 'unavailable', since, reasons: [] },
          { capability: 'admin', level: 'full', since, reasons: [] },
        ],
      },
      { forMs: 60_000 },
    );
    expect(rule.forMs).toBe(60_000);
    expect(rule.observe()).toEqual([
      {
        subject: 'answer.generate',
        severity: 'error',
        summary: 'answer.generate is minimal: model: circuit-open',
      },
      { subject: 'ingest.accept', severity: 'critical', summary: 'ingest.accept is unavailable' },
    ]);
  });
});

describe('rules about metrics', () => {
  const about = { severity: 'warning', cleared: 'over', subject: 'it', summary: 'it is wrong' } as const;

  it('see that a counter has grown, for a while, and not what it was before', async () => {
    const lost = counter({ name: 'test_lost_total', help: 'For this test', labelNames: ['cause'] });
    lost.inc({ cause: 'error' }, 5);
    const rule = counterIncreased(
      { ...about, name: 'lost', metric: 'test_lost_total', labels: { cause: 'error' } },
      clock,
    );
    expect(await subjects(rule)).toEqual([]);
    lost.inc({ cause: 'flood' });
    expect(await subjects(rule)).toEqual([]);
    lost.inc({ cause: 'error' });
    expect(await subjects(rule)).toEqual(['it']);
    now += 9_999;
    expect(await subjects(rule)).toEqual(['it']);
    now += 1;
    expect(await subjects(rule)).toEqual([]);
  });

  it('see that a gauge is above its limit, and know nothing while it tells nothing', async () => {
    let age = 10;
    gauge({
      name: 'test_age_seconds',
      help: 'For this test',
      collect() {
        this.set(age);
      },
    });
    const rule = gaugeAbove({ ...about, name: 'age', metric: 'test_age_seconds', limit: 300 }, clock);
    const look = () => {
      now += 10_000;
      return subjects(rule);
    };
    expect(await look()).toEqual([]);
    age = 301;
    expect(await look()).toEqual(['it']);
    age = NaN;
    await expect(look()).rejects.toThrow('tells nothing');
  });
});

describe('the rule about the event loop', () => {
  it('sees that it stood still, for a while', () => {
    const delays = { max: 0, reset: () => void (delays.max = 0) };
    const rule = eventLoopStalled(clock, delays);
    delays.max = 900e6;
    expect(rule.observe()).toEqual([]);
    delays.max = 1_100e6;
    expect(rule.observe()).toMatchObject([{ subject: 'event-loop' }]);
    now += 9_999;
    expect(rule.observe()).toHaveLength(1);
    now += 1;
    expect(rule.observe()).toEqual([]);
  });
});
