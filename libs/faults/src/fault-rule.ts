import type { Corruption } from './corrupt.js';

export const FAULT_KINDS = ['latency', 'error', 'hang', 'garbage', 'truncation', 'wrong-data'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** These make an answer wrong; the others only keep it from coming. */
const CORRUPTING: readonly FaultKind[] = ['garbage', 'truncation', 'wrong-data'];

/**
 * Whose answers may be made wrong: those that are checked before anybody relies on them. Not those that decide who
 * somebody is and what is his, which would be no test but a break-in; nor those whose mistakes would be stored and stay.
 */
const CORRUPTIBLE = /^(embedder|model:|cache$)/;

export const FAULT_ERRORS = ['transient', 'fatal', 'overload'] as const;
export type FaultError = (typeof FAULT_ERRORS)[number];

/** No rule outlives this, so that one that was forgotten does no lasting harm. */
export const LONGEST_TTL_SECONDS = 900;

export interface NewFaultRule {
  /** A policy's name, or the beginning of names followed by `*`. */
  dependency: string;
  /** As the caller of the policy names it; every operation unless given. */
  operation?: string;
  kind: FaultKind;
  /** For `latency`. */
  latencyMs?: number;
  /** `latency`: so many more at most. */
  jitterMs?: number;
  /** For `error`; transient unless given. */
  error?: FaultError;
  /** `error`: what the failing dependency asks to wait. */
  retryAfterMs?: number;
  /** `error`, `hang` and `truncation` of a stream: so many items come before. */
  afterItems?: number;
  /** The share of the calls that it hits, from 0 to 1. */
  rate: number;
  /** The same seed hits the same calls, counted from the rule's beginning. */
  seed: number;
  /** Only calls of this tenant. */
  tenantId?: string;
  /** Only calls of requests whose `X-Fault-Tag` is this. */
  tag?: string;
  ttlSeconds: number;
  /** Who set it: the id of a user. */
  by: string;
  reason: string;
}

export interface FaultRule extends NewFaultRule {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Calls that it has hit. */
  hits: number;
}

/** Whose call it is and of what, as far as a rule may ask. */
export interface FaultSubject {
  dependency: string;
  operation?: string;
  tenantId?: string;
  tag?: string;
}

/** Whether a fault of this kind may be injected there. */
export function isAllowed(kind: FaultKind, dependency: string): boolean {
  return !CORRUPTING.includes(kind) || CORRUPTIBLE.test(dependency);
}

export function isCorrupting(kind: FaultKind): kind is Corruption {
  return CORRUPTING.includes(kind);
}

export function matches(rule: NewFaultRule, subject: FaultSubject): boolean {
  const { dependency, operation, tenantId, tag } = rule;
  return (
    isAllowed(rule.kind, subject.dependency) &&
    (dependency.endsWith('*')
      ? subject.dependency.startsWith(dependency.slice(0, -1))
      : subject.dependency === dependency) &&
    (operation === undefined || subject.operation === operation) &&
    (tenantId === undefined || subject.tenantId === tenantId) &&
    (tag === undefined || subject.tag === tag)
  );
}

/** Numbers from 0 (inclusive) to 1 (exclusive) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
