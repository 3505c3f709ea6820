import { DomainError } from '#libs/errors';

/** What is still offered, best first. What each means for a question stands in the library's README. */
export const LEVELS = ['full', 'degraded', 'minimal', 'unavailable'] as const;
export type ServiceLevel = (typeof LEVELS)[number];

export function worstLevel(...levels: ServiceLevel[]): ServiceLevel {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))]!;
}

export function isWorse(level: ServiceLevel, than: ServiceLevel): boolean {
  return LEVELS.indexOf(level) > LEVELS.indexOf(than);
}

const RETRY_AFTER_MS = 5_000;

/** The client asked for a better answer than can be had now, and would rather have none. */
export class ServiceLevelNotMet extends DomainError {
  readonly code = 'service-level-not-met';
  readonly kind = 'unavailable' as const;

  constructor(
    readonly required: ServiceLevel,
    readonly available: ServiceLevel,
    { retryAfterMs = RETRY_AFTER_MS, cause }: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(`The service is ${available} at the moment and not ${required}`, {
      extra: { required, available },
      retryAfterMs,
      cause,
    });
  }
}
