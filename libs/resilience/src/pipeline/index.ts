export { Attempt, type Call, type Work } from './attempt.js';
export { AttemptTimeoutStrategy } from './attempt-timeout.js';
export { BulkheadStrategy } from './bulkhead-strategy.js';
export { fromCockatiel } from './cockatiel.js';
export { FaultStrategy } from './fault-strategy.js';
export { HedgeStrategy } from './hedge-strategy.js';
export {
  IllegalPipeline,
  type Next,
  Pipeline,
  type Strategy,
  STRATEGY_ORDER,
  type StrategyKind,
} from './pipeline.js';
export { ThrottleStrategy } from './throttle-strategy.js';
