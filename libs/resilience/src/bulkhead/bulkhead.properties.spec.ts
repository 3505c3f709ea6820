import fc from 'fast-check';
import { settled, VirtualClock } from '../../../../test/support/virtual-clock.js';
import { PRIORITIES, type Priority } from '../call.js';
import { Bulkhead, type BulkheadOptions, type Release } from './index.js';

interface Call {
  tenantId: string;
  priority: Priority;
  client: AbortController;
  state: 'waiting' | 'running' | 'over';
  release?: Release;
}

type Step =
  | { do: 'call'; tenantId: string; priority: Priority }
  | { do: 'end'; which: number }
  | { do: 'leave'; which: number }
  | { do: 'pass'; ms: number }
  | { do: 'share'; share: number }
  | { do: 'limit'; concurrency: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      tenantId: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
      priority: fc.constantFrom(...PRIORITIES),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(200) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('share' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('limit' as const), concurrency: fc.integer({ min: 1, max: 12 }) }),
  },
);
const steps = fc.array(step, { minLength: 1, maxLength: 80 });
const options = fc.record<BulkheadOptions>({
  concurrency: fc.integer({ min: 1, max: 10 }),
  queue: fc.nat(12),
  maxWaitMs: fc.integer({ min: 1, max: 500 }),
  tenantShare: fc.constantFrom(0.1, 0.4, 1),
  reserved: fc.nat(3),
});

/** A bulkhead beside a plain list of all calls, which says what must be true. */
class Model {
  readonly clock = new VirtualClock();
  readonly bulkhead: Bulkhead;
  readonly calls: Call[] = [];

  constructor(private options: BulkheadOptions) {
    this.bulkhead = new Bulkhead(options, { name: 'test', clock: this.clock });
  }

  async play(step: Step): Promise<void> {
    const waitingBefore = this.in('waiting');
    const runningBefore = this.in('running');
    if (step.do === 'call') this.call(step.tenantId, step.priority);
    else if (step.do === 'end') this.end(runningBefore[step.which % runningBefore.length]);
    else if (step.do === 'leave')
      waitingBefore[step.which % waitingBefore.length]?.client.abort(new Error('left'));
    else if (step.do === 'pass') await this.clock.advance(step.ms);
    else if (step.do === 'share') this.bulkhead.setLimitShare(step.share);
    else this.bulkhead.update((this.options = { ...this.options, concurrency: step.concurrency }));
    await settled();
    if (step.do === 'end') this.expectFairChoice(waitingBefore);
    this.expectSound(runningBefore.length);
  }

  async finish(): Promise<void> {
    for (const call of this.in('waiting')) call.client.abort(new Error('left'));
    await settled();
    for (const call of this.in('running')) this.end(call);
    await settled();
    expect([this.bulkhead.inUse, this.bulkhead.queued, this.clock.pending]).toEqual([0, 0, 0]);
    expect(this.bulkhead['tenants'].size).toBe(0);
    expect(this.bulkhead['ordinary']).toBe(0);
  }

  private in(state: Call['state']): Call[] {
    return this.calls.filter((call) => call.state === state);
  }

  private call(tenantId: string, priority: Priority): void {
    const client = new AbortController();
    const call: Call = { tenantId, priority, client, state: 'waiting' };
    this.calls.push(call);
    this.bulkhead.acquire({ tenantId, priority, signal: client.signal }).then(
      (release) => {
        call.state = 'running';
        call.release = release;
      },
      () => (call.state = 'over'),
    );
  }

  private end(call?: Call): void {
    call?.release!();
    call?.release!();
    if (call) call.state = 'over';
  }

  /** Permits are neither lost nor made, never more than the limit, and never idle while somebody may have one. */
  private expectSound(runningBefore: number): void {
    const { bulkhead } = this;
    const running = this.in('running');
    const waiting = this.in('waiting');
    expect(bulkhead.inUse).toBe(running.length);
    expect(bulkhead.queued).toBe(waiting.length);
    expect(waiting.length).toBeLessThanOrEqual(this.options.queue);
    expect(running.length).toBeLessThanOrEqual(Math.max(bulkhead.limit, runningBefore));
    expect(waiting.filter((call) => this.mayRun(call, running))).toEqual([]);
  }

  private mayRun({ priority }: Call, running: Call[]): boolean {
    const { limit } = this.bulkhead;
    if (running.length >= limit) return false;
    const ordinary = running.filter((call) => call.priority !== 'critical-plus').length;
    return priority === 'critical-plus' || ordinary < Math.max(1, limit - this.options.reserved);
  }

  /** After one permit became free: who got it, compared with all who could have. */
  private expectFairChoice(waitingBefore: Call[]): void {
    const chosen = waitingBefore.filter(({ state }) => state === 'running');
    if (chosen.length !== 1) return expect(chosen).toEqual([]);
    const [call] = chosen as [Call];
    const others = this.in('running').filter((other) => other !== call);
    const possible = waitingBefore.filter((other) => this.mayRun(other, others));
    const share = Math.max(1, Math.ceil(this.bulkhead.limit * this.options.tenantShare));
    const hasLess = ({ tenantId }: Call) =>
      others.filter((other) => other.tenantId === tenantId).length < share;
    const entitled = possible.some(hasLess) ? possible.filter(hasLess) : possible;
    expect(entitled).toContain(call);
    const best = Math.min(...entitled.map(({ priority }) => PRIORITIES.indexOf(priority)));
    expect(PRIORITIES.indexOf(call.priority)).toBe(best);
    const own = entitled.filter(
      (other) => other.tenantId === call.tenantId && other.priority === call.priority,
    );
    expect(own[0]).toBe(call);
  }
}

describe('whatever happens to a bulkhead', () => {
  it('its permits are conserved, its limit holds, and its choices are fair', async () => {
    await fc.assert(
      fc.asyncProperty(options, steps, async (given, script) => {
        const model = new Model(given);
        for (const step of script) await model.play(step);
        await model.finish();
      }),
      { numRuns: 300 },
    );
  });

  it('a tenant who floods it delays nobody for longer than one call of each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 20, max: 60 }),
        async (limit, flood) => {
          const clock = new VirtualClock();
          const bulkhead = new Bulkhead(
            {
              concurrency: limit,
              queue: 100,
              tenantQueue: 90,
              maxWaitMs: 60_000,
              tenantShare: 0.4,
              reserved: 0,
            },
            { name: 'test', clock },
          );
          const call = async (tenantId: string) => {
            const release = await bulkhead.acquire({ tenantId, priority: 'critical' });
            const startedAt = clock.now();
            await clock.sleep(100);
            release();
            return startedAt;
          };
          const all = Array.from({ length: limit + flood }, () => call('flood'));
          const others = ['b', 'c'].map((tenantId) => call(tenantId));
          await clock.advance(100 * (limit + flood + 2));
          // The first permits that become free go to who has less than a share, in turn with the one who floods.
          const startedAt = await Promise.all(others);
          expect(Math.max(...startedAt)).toBeLessThanOrEqual(limit === 1 ? 300 : limit === 2 ? 200 : 100);
          await Promise.all(all);
        },
      ),
      { numRuns: 30 },
    );
  });
});
