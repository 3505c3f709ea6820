export { PRIORITIES, type CallOptions, type Priority } from './call.js';
export { BreakerStrategy, CircuitBreaker } from './circuit-breaker/index.js';
export { systemClock, type Clock, type Random } from './clock.js';
export { PolicyEvents, type NewPolicyEvent, type PolicyEvent } from './events.js';
export type { FaultInjector, FaultTarget } from './faults.js';
export { InvalidPolicyOptions, type EffectiveOptions, type PolicyOptions } from './options.js';
export type {
  Outcome,
  OverrideMode,
  Policy,
  PolicyDescription,
  PolicyOverride,
  PolicyState,
} from './policy-types.js';
export { Attempt, fromCockatiel, IllegalPipeline, Pipeline, type Strategy } from './pipeline/index.js';
export type { PolicyHooks } from './policy.js';
export { PolicyRegistry, type RegistryDependencies } from './policy-registry.js';
export { Bulkhead, type BulkheadCall, type BulkheadOptions, type Release } from './bulkhead/index.js';
export { deadlineOf, deadlineSignal, joinSignals, remainingMs } from './deadline.js';
export { HedgeBudget, hedged, type HedgeOptions } from './hedging.js';
export { SingleFlight } from './single-flight.js';
export {
  CachedFallback,
  CAPABILITIES,
  type Capability,
  type CapabilityLevel,
  currentDegradations,
  type CurrentLevel,
  type Degradation,
  DegradationManager,
  type DegradationOptions,
  DegradationRegistry,
  Fallback,
  FunctionFallback,
  isWorse,
  type LevelChange,
  lastOf,
  LEVELS,
  noteDegradation,
  type Served,
  type ServeOptions,
  type ServiceLevel,
  ServiceLevelNotMet,
  StaticFallback,
  type StepLevel,
  StreamFallback,
  type StreamOptions,
  worstLevel,
} from './degradation/index.js';
