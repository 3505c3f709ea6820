import type { OverrideMode } from '#libs/resilience';

/** What an operator orders a policy to do. `lift` ends an override and leaves the circuit as it is. */
export const ORDER_ACTIONS = ['isolate', 'disable', 'shadow', 'close', 'reset', 'lift'] as const;
export type OrderAction = (typeof ORDER_ACTIONS)[number];

/** Those that hold for a time. The others are done once; all of them end an override that was in force. */
export const MODE_OF: Partial<Record<OrderAction, OverrideMode>> = {
  isolate: 'isolated',
  disable: 'disabled',
  shadow: 'metrics-only',
};

/** fleet: every process of the installation, also after a restart. replica: the process that answers. */
export const ORDER_SCOPES = ['fleet', 'replica'] as const;
export type OrderScope = (typeof ORDER_SCOPES)[number];

export interface NewOrder {
  policy: string;
  action: OrderAction;
  scope: OrderScope;
  reason: string;
  ticket?: string;
  /** Of an override. */
  ttlSeconds: number;
  /** The version that the operator has seen; another one in the meantime refuses the order. */
  ifVersion?: number;
}

/** An order as it was taken; the last one for its policy is the one that counts. */
export interface Order {
  policy: string;
  action: OrderAction;
  scope: OrderScope;
  /** Of the fleet's orders for this policy; grows by one with each. */
  version: number;
  /** The user's id. */
  by: string;
  reason: string;
  ticket?: string;
  at: Date;
  /** Of an override only. */
  expiresAt?: Date;
}

/** Whether it overrides the policy at this moment. */
export function isInForce({ expiresAt }: Order, now = Date.now()): boolean {
  return expiresAt !== undefined && expiresAt.getTime() > now;
}
