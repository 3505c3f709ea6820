import type { Alert, AlertRule, Observation } from './alert.js';
import { AlertEngine } from './alert-engine.js';

const SECOND = 1_000;

describe('the alert engine', () => {
  let now: number;
  let wrong: Observation[];
  let told: string[];
  let engine: AlertEngine;
  let observe: () => Observation[] | Promise<Observation[]>;

  const clock = { now: () => now, after: () => () => undefined };
  const rule: AlertRule = {
    name: 'circuit-open',
    severity: 'error',
    cleared: 'the circuit has closed',
    observe: () => observe(),
  };
  const make = (rules = [rule]) =>
    new AlertEngine(
      rules,
      { forMs: 30 * SECOND, resolveMs: 120 * SECOND, replica: 'a', clock },
      (alert, what) => told.push(`${what} ${alert.fingerprint}`),
    );
  const model: Observation = { subject: 'model', summary: 'The circuit of model is open' };

  beforeEach(() => {
    now = 0;
    wrong = [];
    told = [];
    observe = () => wrong;
    engine = make();
  });

  /** So many seconds, with a look at each. */
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      now += SECOND;
      await engine.evaluate();
    }
  }

  it('opens an alert when something has been wrong for long enough, once', async () => {
    wrong = [model];
    await pass(30);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['opened circuit-open:model@a']);
    await pass(100);
    expect(told).toHaveLength(1);
    expect(engine.active()).toMatchObject([
      { rule: 'circuit-open', subject: 'model', severity: 'error', replica: 'a', flapping: false },
    ]);
  });

  it('opens none for what pauses before', async () => {
    for (let i = 0; i < 10; i++) {
      wrong = [model];
      await pass(29);
      wrong = [];
      await pass(1);
    }
    expect(told).toEqual([]);
  });

  it('resolves it with its cause when it has been right for long enough', async () => {
    wrong = [model];
    await pass(31);
    const [alert] = engine.active();
    wrong = [];
    await pass(120);
    expect(told).toHaveLength(1);
    await pass(1);
    expect(told[1]).toBe('resolved circuit-open:model@a');
    expect(alert).toMatchObject({ resolvedAt: expect.any(Date), resolvedCause: 'the circuit has closed' });
    expect(engine.active()).toEqual([]);
  });

  it('keeps it open when it is wrong again before that', async () => {
    wrong = [model];
    await pass(31);
    for (let i = 0; i < 5; i++) {
      wrong = [];
      await pass(119);
      wrong = [model];
      await pass(1);
    }
    expect(told).toHaveLength(1);
  });

  it('keeps what flaps open until it was quiet for ten minutes', async () => {
    engine = new AlertEngine([rule], { forMs: 0, resolveMs: 0, replica: 'a', clock }, (alert, what) =>
      told.push(`${what}${alert.flapping ? ' flapping' : ''}`),
    );
    for (let i = 0; i < 20; i++) {
      wrong = [model];
      await pass(1);
      wrong = [];
      await pass(2);
    }
    expect(told.filter((what) => what.startsWith('opened'))).toHaveLength(4);
    expect(told.at(-1)).toBe('opened flapping');
    await pass(590);
    expect(engine.active()).toHaveLength(1);
    await pass(10);
    expect(told.at(-1)).toBe('resolved flapping');
  });

  it('knows neither better nor worse when a rule cannot look', async () => {
    wrong = [model];
    await pass(31);
    observe = () => Promise.reject(new Error('the database is away'));
    await pass(1_000);
    expect(told).toHaveLength(1);
    observe = () => [];
    await pass(121);
    expect(told).toHaveLength(2);
  });

  it('lets one rule fail without the others', async () => {
    const failing: AlertRule = { ...rule, name: 'failing', observe: () => Promise.reject(new Error('no')) };
    engine = make([failing, rule]);
    wrong = [model];
    await pass(31);
    expect(told).toEqual(['opened circuit-open:model@a']);
  });

  it('has one alert for each subject, and one for the whole fleet where all see the same', async () => {
    wrong = [model, { ...model, subject: 'cache' }, { ...model, subject: 'queue', scope: 'fleet' }];
    await pass(31);
    expect(told.map((what) => what.split(' ')[1])).toEqual([
      'circuit-open:model@a',
      'circuit-open:cache@a',
      'circuit-open:queue',
    ]);
    expect(engine.active().map(({ replica }) => replica)).toEqual(['a', 'a', undefined]);
  });

  it('shows an alert at its worst', async () => {
    const seen = (severity: Observation['severity'], summary: string) => {
      wrong = [{ subject: 'answers', severity, summary }];
      return pass(31);
    };
    await seen('warning', 'degraded');
    await seen('critical', 'unavailable');
    await seen('warning', 'degraded');
    expect(engine.active()).toMatchObject([{ severity: 'critical', summary: 'unavailable' }]);
  });

  it('goes on with what was open before a restart, and resolves it when it is over', async () => {
    const open = (subject: string): Alert => ({
      id: subject,
      fingerprint: `circuit-open:${subject}@a`,
      rule: 'circuit-open',
      subject,
      severity: 'error',
      summary: 'it is open',
      replica: 'a',
      flapping: false,
      openedAt: new Date(0),
      lastSeenAt: new Date(0),
    });
    engine.restore([open('model'), open('cache'), { ...open('x'), rule: 'a rule of an older version' }]);
    wrong = [model];
    await pass(60);
    expect(told).toEqual([]);
    expect(engine.active().map(({ id }) => id)).toEqual(['model', 'cache']);
    await pass(61);
    expect(told).toEqual(['resolved circuit-open:cache@a']);
  });
});
