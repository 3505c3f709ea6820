import { currentContext } from '#libs/observability';
import type { ServiceLevel } from './service-level.js';

/** Why a request was served worse than promised, and by what instead. */
export interface Degradation {
  capability: string;
  level: ServiceLevel;
  reason: string;
  /** What served instead. */
  fallback: string;
  /** ISO 8601: since when it is so. */
  since: string;
}

const KEY = Symbol('degradations');

/** Those of the request or job under way, in the order in which they were noticed; none outside of both. */
export function currentDegradations(): Degradation[] {
  return [...degradationsOf(currentContext()?.state)];
}

/** Each capability and reason once for each request. */
export function noteDegradation(degradation: Degradation): void {
  const state = currentContext()?.state;
  const noted = degradationsOf(state);
  const { capability, reason } = degradation;
  if (noted.some((other) => other.capability === capability && other.reason === reason)) return;
  state?.set(KEY, [...noted, degradation]);
}

function degradationsOf(state: Map<symbol, unknown> | undefined): readonly Degradation[] {
  return (state?.get(KEY) as Degradation[] | undefined) ?? [];
}
