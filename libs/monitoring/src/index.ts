export {
  SEVERITIES,
  type Alert,
  type AlertRule,
  type AlertTransition,
  type Observation,
  type Severity,
} from './alert.js';
export { listAlerts, type AlertQuery } from './alert.store.js';
export { Alerts } from './alerts.js';
export { alertSection, type AlertConfig } from './monitoring.config.js';
export { MonitoringModule } from './monitoring.module.js';
export { capabilityBelowFull } from './rules/capability-rule.js';
export { eventLoopStalled } from './rules/event-loop-rule.js';
export { counterIncreased, gaugeAbove } from './rules/metric-rules.js';
export { circuitOpen, policySaturated, retryBudgetExhausted } from './rules/policy-rules.js';
export { retryMsAfter } from './webhook/deliveries.js';
export { signedHeaders, type SignedHeaders } from './webhook/signature.js';
export { WebhookSender } from './webhook/webhook-sender.js';
