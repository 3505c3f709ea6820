import { counter, gauge, histogram } from '#libs/observability';
import type { PolicyDescription, PolicyState } from './policy-types.js';

/**
 * Counts in plain numbers and tells the counter when somebody looks: a counter with labels costs more than a refused
 * call may cost altogether.
 */
class Tally {
  private readonly counts = new Map<string, Map<string, number>>();

  add(policy: string, what: string): void {
    let counts = this.counts.get(policy);
    if (!counts) this.counts.set(policy, (counts = new Map<string, number>()));
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }

  flush(tell: (policy: string, what: string, count: number) => void): void {
    for (const [policy, counts] of this.counts) {
      for (const [what, count] of counts) tell(policy, what, count);
      counts.clear();
    }
  }
}

/** By policy and outcome. */
export const callTally = new Tally();
/** By policy and event. */
export const eventTally = new Tally();

counter({
  name: 'navigator_policy_calls_total',
  help: 'Calls through a resilience policy by outcome',
  labelNames: ['policy', 'outcome'],
  collect() {
    callTally.flush((policy, outcome, count) => this.inc({ policy, outcome }, count));
  },
});
counter({
  name: 'navigator_resilience_events_total',
  help: 'What policies did: changes of state, retries, refusals',
  labelNames: ['policy', 'event'],
  collect() {
    eventTally.flush((policy, event, count) => this.inc({ policy, event }, count));
  },
});
export const callSeconds = histogram({
  name: 'navigator_policy_call_seconds',
  help: 'Duration of a call through a resilience policy, with its retries',
  labelNames: ['policy'],
});
export const attemptSeconds = histogram({
  name: 'navigator_policy_attempt_seconds',
  help: 'Duration of one attempt at a dependency, without the waiting before it, by what it meant',
  labelNames: ['policy', 'outcome'],
});
export const shed = counter({
  name: 'navigator_shed_total',
  help: 'Work that was turned away because there was too much of it, by priority and reason',
  labelNames: ['class', 'reason'],
});

type Describe = () => PolicyDescription[];
const sources = new Set<Describe>();

/**
 * What gauges show of policies is read when somebody looks. Those of one name are shown together: counts as sums, shares
 * as those of all their calls.
 *
 * @returns ends it
 */
export function showPolicies(describe: Describe): () => void {
  sources.add(describe);
  return () => sources.delete(describe);
}

const STATES: PolicyState[] = ['closed', 'open', 'half-open', 'isolated', 'disabled', 'metrics-only'];

gauge({
  name: 'navigator_policy_state',
  help: '1 for the state that the circuit of a policy is in; of policies kept by key, how many are in it',
  labelNames: ['policy', 'state'],
  collect() {
    this.reset();
    for (const [policy, alike] of described())
      for (const each of STATES)
        this.set({ policy, state: each }, alike.filter(({ state }) => state === each).length);
  },
});

gaugeOf('failure_ratio', 'Share of the calls in the window that failed', (alike) =>
  shareOfCalls(alike, 'failures'),
);
gaugeOf('slow_ratio', 'Share of the calls in the window that were slow', (alike) =>
  shareOfCalls(alike, 'slow'),
);
gaugeOf('permits_in_use', 'Calls under way', (alike) => sum(alike, ({ permits }) => permits?.inUse));
gaugeOf('permits_limit', 'Calls that may be under way at once', (alike) =>
  sum(alike, ({ permits }) => permits?.limit),
);
gaugeOf('queued', 'Calls that wait for a permit', (alike) => sum(alike, ({ permits }) => permits?.queued));
gaugeOf('retry_budget', 'Retries that may be made now', (alike) =>
  sum(alike, ({ retryBudgetLeft }) => retryBudgetLeft),
);

function gaugeOf(name: string, help: string, read: (alike: PolicyDescription[]) => number | undefined): void {
  gauge({
    name: `navigator_policy_${name}`,
    help,
    labelNames: ['policy'],
    collect() {
      this.reset();
      for (const [policy, alike] of described()) {
        const value = read(alike);
        if (value !== undefined) this.set({ policy }, value);
      }
    },
  });
}

/** undefined when none of them has it. */
function sum(
  alike: PolicyDescription[],
  read: (policy: PolicyDescription) => number | undefined,
): number | undefined {
  const values = alike.map(read).filter((value) => value !== undefined);
  return values.length > 0 ? values.reduce((total, value) => total + value) : undefined;
}

function shareOfCalls(alike: PolicyDescription[], which: 'failures' | 'slow'): number {
  const calls = sum(alike, ({ window }) => window.calls)!;
  return calls > 0 ? sum(alike, ({ window }) => window[which])! / calls : 0;
}

let seen: Map<string, PolicyDescription[]> | undefined;

/** By name. All gauges are read in one go, so one look does for all of them. */
function described(): Map<string, PolicyDescription[]> {
  if (seen) return seen;
  queueMicrotask(() => (seen = undefined));
  const all = [...sources].flatMap((describe) => describe());
  return (seen = Map.groupBy(all, ({ name }) => name));
}
