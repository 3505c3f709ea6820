export { CAPABILITIES, type Capability } from './capability.js';
export {
  type CurrentLevel,
  DegradationManager,
  type DegradationOptions,
  type LevelChange,
  type Served,
  type ServeOptions,
  type StreamOptions,
} from './degradation-manager.js';
export { type CapabilityLevel, DegradationRegistry } from './degradation-registry.js';
export {
  CachedFallback,
  Fallback,
  FunctionFallback,
  lastOf,
  StaticFallback,
  type StepLevel,
  StreamFallback,
} from './fallback.js';
export { currentDegradations, type Degradation, noteDegradation } from './request-degradations.js';
export { isWorse, LEVELS, type ServiceLevel, ServiceLevelNotMet, worstLevel } from './service-level.js';
