export { Admission, effectivePriority } from './admission.js';
export { registerAdmission, wasRefusedAtDoor } from './admission.hooks.js';
export { AdmissionModule, type AdmissionModuleOptions } from './admission.module.js';
export { GateGuard, leaveGate, returnToGate } from './gate.guard.js';
export { Pressure } from './pressure.js';
