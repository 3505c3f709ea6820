import type { Clock, Random } from '../clock.js';
import type { BreakerOptions } from '../options.js';
import type { Outcome, OverrideMode, PolicyState } from '../policy-types.js';
import { type CallCounts, type CallWindow, CountWindow, createWindow, TimeWindow } from './call-window.js';

export interface BreakerDependencies {
  clock: Clock;
  random: Random;
  /** Told after every change of state, and of an opening that metrics-only kept from happening (`would-open`). */
  onTransition?(transition: Transition): void;
}

export interface Transition {
  type: 'opened' | 'half-opened' | 'closed' | 'overridden' | 'would-open';
  from: PolicyState;
  to: PolicyState;
  detail?: Record<string, number | string>;
}

/** What `acquire` gives to a call that may not pass. */
export const REFUSED = -1;
/** What it gives while nothing is counted. */
const UNCOUNTED = -2;

const NOTHING: CallCounts = { calls: 0, failures: 0, slow: 0 };

/**
 * Keeps calls away from a dependency that is not well. A permit is the number of the *epoch* in which it was given:
 * every change of state and every probe begins a new one, and a result with an older permit moves nothing. So a failure
 * that was under way since before the circuit opened cannot spoil a probe, and there is one probe at a time.
 *
 * It never waits: whoever may not pass is told at once. Open turns into half-open when a call comes after its time.
 */
export class CircuitBreaker {
  private phase: 'closed' | 'open' | 'half-open' = 'closed';
  private mode?: OverrideMode;
  private modeEndsAt = Infinity;
  private epoch = 0;
  private window?: CallWindow;
  private openedAt = 0;
  private openUntil = 0;
  private closedAt = -Infinity;
  /** How many times it opened again before it was closed for `resetAfterMs`. */
  private reopenings = 0;
  private successes = 0;
  private failuresInARow = 0;
  /** While a probe is under way: until when no other is let through. */
  private probeUntil = 0;
  private wouldOpenAgainAt = 0;

  /** @param options none: it never opens by itself, and obeys overrides only */
  constructor(
    private options: BreakerOptions | undefined,
    private readonly deps: BreakerDependencies,
  ) {
    this.window = options && createWindow(options);
  }

  get state(): PolicyState {
    return this.mode ?? this.phase;
  }

  /** Whether `acquire` would refuse now. Looking changes nothing. */
  get isRefusing(): boolean {
    if (this.phase === 'closed') return this.mode === 'isolated';
    return this.deps.clock.now() < (this.phase === 'open' ? this.openUntil : this.probeUntil);
  }

  /** How long, at least, until a call may pass; 0 while calls pass. */
  get retryAfterMs(): number {
    const now = this.deps.clock.now();
    if (this.mode === 'isolated') return Math.max(0, this.modeEndsAt - now);
    if (this.mode !== undefined || this.phase === 'closed') return 0;
    return Math.max(0, (this.phase === 'open' ? this.openUntil : this.probeUntil) - now);
  }

  counts(): Readonly<CallCounts> {
    return this.window?.counts(this.deps.clock.now()) ?? NOTHING;
  }

  /** A permit to hand back with `record`, or `REFUSED`. */
  acquire(): number {
    if (this.phase === 'closed' && this.mode === undefined) return this.epoch;
    return this.acquireSpecially(this.deps.clock.now());
  }

  /** Whether the permit is a probe's: it has its own time limit, and its first item is enough to judge a stream. */
  isProbe(permit: number): boolean {
    return this.phase === 'half-open' && permit === this.epoch;
  }

  /** @param elapsedMs of the call itself, without waiting for it to start */
  record(permit: number, outcome: Outcome, elapsedMs: number): void {
    const { options, window } = this;
    if (permit !== this.epoch || !options || !window) return;
    const counted = outcome !== 'ignored' && outcome !== 'overload';
    const failed = outcome === 'failure' || outcome === 'fatal';
    const slow = options.slowCallMs !== undefined && elapsedMs >= options.slowCallMs;
    const now = this.deps.clock.now();
    if (this.phase === 'half-open') return this.recordProbe(now, counted, failed || slow);
    if (!counted) return;
    window.record(now, failed, slow);
    this.failuresInARow = failed ? this.failuresInARow + 1 : 0;
    const reason = outcome === 'fatal' ? 'fatal' : this.reasonToOpen(options, window.counts(now));
    if (reason) this.open(now, reason);
  }

  /** The dependency answered outside of calls; see `RecoveryProbe`. Permits a probe early, and closes nothing. */
  noteAnswer({ wasSilent }: { wasSilent: boolean }): void {
    const now = this.deps.clock.now();
    if (!this.options) return;
    // An answer alone may be of a part that never failed. It cuts the growth of the open time, not its beginning.
    if (wasSilent || now >= this.openedAt + this.options.openMs)
      this.openUntil = Math.min(this.openUntil, now);
  }

  /** undefined lifts it: the circuit begins anew, closed. */
  setMode(mode: OverrideMode | undefined, endsAt = Infinity): void {
    const from = this.state;
    this.begin('closed');
    this.window?.clear();
    this.mode = mode;
    this.modeEndsAt = endsAt;
    this.deps.onTransition?.({ type: 'overridden', from, to: this.state });
  }

  /** As if its probes had succeeded. */
  close(): void {
    if (this.phase !== 'closed') this.becomeClosed(this.deps.clock.now());
  }

  /** As if nothing had ever happened. */
  reset(): void {
    this.close();
    this.window?.clear();
    this.closedAt = -Infinity;
  }

  /** What was counted is kept, unless another kind of window judges from now on. */
  update(options: BreakerOptions | undefined): void {
    const before = this.window;
    this.options = options;
    this.window = options && createWindow(options);
    const now = this.deps.clock.now();
    if (before instanceof TimeWindow && this.window instanceof TimeWindow) this.window.adopt(before, now);
    else if (before instanceof CountWindow && this.window instanceof CountWindow)
      this.window.adopt(before, now);
    if (!options) this.close();
  }

  private acquireSpecially(now: number): number {
    if (this.mode === 'isolated') return REFUSED;
    if (this.mode === 'disabled') return UNCOUNTED;
    if (this.mode === 'metrics-only') return this.epoch;
    if (this.phase === 'open' && now >= this.openUntil) {
      this.begin('half-open');
      this.deps.onTransition?.({ type: 'half-opened', from: 'open', to: 'half-open' });
    }
    if (this.phase !== 'half-open' || now < this.probeUntil) return REFUSED;
    this.probeUntil = now + this.options!.probeTimeoutMs;
    return ++this.epoch;
  }

  private recordProbe(now: number, counted: boolean, failed: boolean): void {
    this.probeUntil = 0;
    if (!counted) return;
    if (failed) return this.open(now, 'probe-failed');
    this.successes++;
    if (this.successes >= this.options!.successes) this.becomeClosed(now);
  }

  private reasonToOpen(options: BreakerOptions, { calls, failures, slow }: CallCounts): string | undefined {
    if (options.failuresInARow !== undefined && this.failuresInARow >= options.failuresInARow)
      return 'failures-in-a-row';
    if (calls < options.minimumCalls) return undefined;
    if (options.window === 'consecutive')
      return failures >= options.minimumCalls ? 'failures-in-a-row' : 'slow-in-a-row';
    if (failures >= calls * options.failureRatio) return 'failure-ratio';
    return slow > 0 && slow >= calls * options.slowRatio ? 'slow-ratio' : undefined;
  }

  private open(now: number, reason: string): void {
    const { openMs, maxOpenMs, jitter, resetAfterMs } = this.options!;
    const detail = { reason, ...this.window!.counts(now) };
    if (this.mode === 'metrics-only') return this.noteWouldOpen(now, detail);
    const from = this.phase;
    const rested = from === 'closed' && now - this.closedAt >= resetAfterMs;
    this.reopenings = rested ? 0 : this.reopenings + 1;
    const length = Math.min(openMs * 2 ** this.reopenings, maxOpenMs);
    const openForMs = length * (1 + jitter * (2 * this.deps.random() - 1));
    this.begin('open');
    this.openedAt = now;
    this.openUntil = now + openForMs;
    this.deps.onTransition?.({
      type: 'opened',
      from,
      to: 'open',
      detail: { ...detail, openForMs: Math.round(openForMs) },
    });
  }

  private noteWouldOpen(now: number, detail: Record<string, number | string>): void {
    if (now < this.wouldOpenAgainAt) return;
    this.wouldOpenAgainAt = now + this.options!.openMs;
    this.deps.onTransition?.({ type: 'would-open', from: this.state, to: this.state, detail });
  }

  private becomeClosed(now: number): void {
    const from = this.phase;
    this.begin('closed');
    this.closedAt = now;
    this.window?.clear();
    this.deps.onTransition?.({ type: 'closed', from, to: 'closed' });
  }

  private begin(phase: 'closed' | 'open' | 'half-open'): void {
    this.phase = phase;
    this.epoch++;
    this.successes = 0;
    this.failuresInARow = 0;
    this.probeUntil = 0;
  }
}
