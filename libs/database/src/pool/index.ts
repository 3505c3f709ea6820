export { ConnectionGate } from './connection-gate.js';
export { DatabaseProbe } from './database-probe.js';
export { gateOf, openPool, poolOf } from './open-pool.js';
export { observePool } from './pool-metrics.js';
export { giveBack, lease, type Lease, type LeaseOptions } from './lease.js';
export { PooledClient } from './pooled-client.js';
