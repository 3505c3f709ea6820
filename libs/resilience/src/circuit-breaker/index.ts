export { BreakerStrategy, circuitRefusal } from './breaker-strategy.js';
export { CircuitBreaker, REFUSED, type Transition } from './circuit-breaker.js';
export { TimeWindow } from './call-window.js';
export { RecoveryProbe } from './recovery-probe.js';
export { SlowStart } from './slow-start.js';
