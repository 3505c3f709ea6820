/** One component as `/health` shows it. */
export interface HealthProbe {
  readonly name: string;
  /**
   * True when the process can do nothing useful without it, so that it should leave the load balancer. A model
   * provider never is: all replicas would leave at once over something that the answer ladder copes with.
   */
  readonly neededForReadiness: boolean;
  /** True when only a restart of the process brings the component back once it is down. */
  readonly neededForLiveness?: boolean;
  /** Throws when the component is down. What it returns is shown: numbers and states, never secrets. */
  check(): Promise<{ degraded?: boolean; [detail: string]: unknown }>;
}

export const HEALTH_PROBES = Symbol('health probes');
