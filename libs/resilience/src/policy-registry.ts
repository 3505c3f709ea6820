import { isDeepStrictEqual } from 'node:util';
import { type Clock, type Random, systemClock } from './clock.js';
import { PolicyEvents } from './events.js';
import type { FaultInjector } from './faults.js';
import { LruMap } from './lru-map.js';
import { showPolicies } from './metrics.js';
import { type EffectiveOptions, InvalidPolicyOptions, mergeOptions, parseOptions } from './options.js';
import type { PolicyOptions } from './options.js';
import { DependencyPolicy, type PolicyHooks } from './policy.js';
import type { Policy, PolicyDescription, PolicyOverride } from './policy-types.js';

export interface RegistryDependencies {
  clock?: Clock;
  random?: Random;
  faults?: FaultInjector;
}

/** Above it nothing is done that does not have to be. */
const MOST_LOAD_FOR_EXTRAS = 0.7;
const MAX_KEYED = 5_000;
const IDLE_MS = 15 * 60_000;

interface Definition {
  /** As written in the code; changes are changes of these. */
  options: PolicyOptions;
  hooks: PolicyHooks;
  policy: DependencyPolicy;
}

interface Keyed {
  template: string;
  policy: DependencyPolicy;
  usedAt: number;
}

/** All policies of the process by name: one for each dependency, declared once at start. */
export class PolicyRegistry {
  readonly events = new PolicyEvents();
  private readonly clock: Clock;
  private readonly definitions = new Map<string, Definition>();
  private readonly keys = new LruMap<Keyed>(MAX_KEYED, ({ policy }) => this.discard(policy));
  private readonly hide: () => void;
  private load: () => number = () => 0;

  constructor(private readonly deps: RegistryDependencies = {}) {
    this.clock = deps.clock ?? systemClock;
    this.hide = showPolicies(() => this.shown());
  }

  /** @throws InvalidPolicyOptions */
  define(name: string, options: PolicyOptions, hooks: PolicyHooks = {}): Policy {
    if (this.definitions.has(name)) throw new Error(`The policy ${name} is defined twice`);
    const policy = this.create(name, parseOptions(name, options), hooks);
    this.definitions.set(name, { options, hooks, policy });
    return policy;
  }

  /** @throws Error for a name that was never defined: a mistake in our wiring. */
  policy(name: string): Policy {
    return this.find(name);
  }

  /**
   * One of many policies that are alike, such as the hosts of webhooks, made like its template when it is first asked
   * for. Ask for it at every call and do not keep it: what is not used for 15 minutes is forgotten with its state.
   */
  keyed(template: string, key: string): Policy {
    const name = `${template}:${key}`;
    const now = this.clock.now();
    this.forgetIdle(now);
    let keyed = this.keys.get(name);
    if (!keyed) {
      const { policy: model, hooks } = this.definition(template);
      // A probe asks one dependency, and these are many.
      const policy = this.create(name, model.effectiveOptions, { classify: hooks.classify }, template);
      this.keys.set(name, (keyed = { template, policy, usedAt: now }));
    }
    keyed.usedAt = now;
    return keyed.policy;
  }

  /** All that were defined, then the keyed ones. */
  list(): Policy[] {
    const defined = [...this.definitions.values()].map(({ policy }) => policy);
    return [...defined, ...[...this.keys.oldestFirst()].map(([, { policy }]) => policy)];
  }

  /**
   * Changes options of policies by name, or of all whose name begins as in `model:*`, while they run. All of it or
   * nothing; what is not named goes back to how it was defined.
   *
   * @param changes for each name a part of its options; `null` turns a section off
   * @throws InvalidPolicyOptions
   */
  update(changes: Record<string, unknown>): void {
    const checked = this.check(changes);
    for (const [name, effective] of checked) {
      const { policy } = this.definition(name);
      if (isDeepStrictEqual(policy.effectiveOptions, effective)) continue;
      policy.update(effective);
      for (const [, keyed] of this.keys.oldestFirst())
        if (keyed.template === name) keyed.policy.update(effective);
      this.events.publish({ policy: name, type: 'reconfigured' });
    }
  }

  /** `null` lifts it. */
  override(name: string, override: PolicyOverride | null): void {
    this.find(name).override(override);
  }

  /**
   * Tells the policies how full the process is, 0 to 1 and more: they ask nothing twice while it has hardly time for
   * once.
   */
  heed(load: () => number): void {
    this.load = load;
  }

  /** Stops what runs by itself: probes, slow starts, overrides that would end. */
  close(): void {
    this.hide();
    for (const { policy } of this.definitions.values()) policy.dispose();
    for (const [, { policy }] of this.keys.oldestFirst()) policy.dispose();
  }

  /** For metrics, where a key must not become a label: policies that are alike have the name of their template. */
  private shown(): PolicyDescription[] {
    const keyed = [...this.keys.oldestFirst()].map(([, { template, policy }]) => ({
      ...policy.describe(),
      name: template,
    }));
    const templates = new Set(keyed.map(({ name }) => name));
    // Calls go to its copies and not to a template itself.
    const defined = [...this.definitions].filter(([name]) => !templates.has(name));
    return [...defined.map(([, { policy }]) => policy.describe()), ...keyed];
  }

  private check(changes: Record<string, unknown>): Map<string, EffectiveOptions> {
    const problems: { option: string; message: string }[] = [];
    for (const pattern of Object.keys(changes))
      if (!pattern.endsWith('*') && !this.definitions.has(pattern))
        problems.push({ option: pattern, message: 'there is no policy of this name' });

    const checked = new Map<string, EffectiveOptions>();
    for (const [name, { options }] of this.definitions) {
      const changed = Object.entries(changes)
        .filter(([pattern]) => matches(pattern, name))
        .reduce<unknown>((merged, [, change]) => mergeOptions(merged as PolicyOptions, change), options);
      try {
        checked.set(name, parseOptions(name, changed));
      } catch (error) {
        if (!(error instanceof InvalidPolicyOptions)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length > 0) throw new InvalidPolicyOptions(problems);
    return checked;
  }

  private create(
    name: string,
    options: EffectiveOptions,
    hooks: PolicyHooks,
    label = name,
  ): DependencyPolicy {
    const { random = Math.random, faults } = this.deps;
    const { clock, events } = this;
    const hasTime = () => this.load() <= MOST_LOAD_FOR_EXTRAS;
    return new DependencyPolicy(name, options, { clock, random, events, faults, label, hasTime }, hooks);
  }

  private definition(name: string): Definition {
    const definition = this.definitions.get(name);
    if (!definition) throw new Error(`There is no policy named ${name}`);
    return definition;
  }

  private find(name: string): DependencyPolicy {
    return this.keys.get(name)?.policy ?? this.definition(name).policy;
  }

  /** Who is in use is not idle, however long its call takes. */
  private forgetIdle(now: number): void {
    for (const [name, keyed] of this.keys.oldestFirst()) {
      if (now - keyed.usedAt < IDLE_MS) return;
      if (keyed.policy.isInUse) continue;
      this.keys.delete(name);
      this.discard(keyed.policy);
    }
  }

  /** Calls that are under way end as they would have. */
  private discard(policy: DependencyPolicy): void {
    policy.dispose();
    this.events.forget(policy.name);
  }
}

const matches = (pattern: string, name: string) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
