export { evaluateGate } from './evaluate-gate.js';
export { type Gate, type GateCheck, type GateEvidence, GATE_OUTCOMES, type GateOutcome } from './gate.js';
export { type GateConfig, gateSection } from './gates.config.js';
export { reasonOfGate } from './review-reason.js';
export { VectorSanity } from './vector-sanity.js';
