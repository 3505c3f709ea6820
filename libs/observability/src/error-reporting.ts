import type { ErrorEvent } from '@sentry/node';
import { currentContext } from './request-context.js';

export interface ErrorReportingOptions {
  /** Nothing is loaded or sent without it. */
  dsn?: string;
  release: string;
  environment: string;
}

type Sentry = typeof import('@sentry/node');
let sentry: Sentry | undefined;

/** Sends bugs to Sentry. The SDK is large, so it is loaded only where a DSN is set. */
export async function startErrorReporting({
  dsn,
  release,
  environment,
}: ErrorReportingOptions): Promise<void> {
  if (!dsn) return;
  sentry = await import('@sentry/node');
  sentry.init({
    dsn,
    release,
    environment,
    defaultIntegrations: false,
    beforeSend: scrub,
  });
}

/** Reports a bug with the ids of its request, and nothing that a person wrote. */
export function reportBug(error: unknown): void {
  const context = currentContext();
  sentry?.captureException(error, {
    tags: { request_id: context?.requestId, correlation_id: context?.correlationId, route: context?.route },
  });
}

/** Waits for what is on its way, `timeoutMs` at most. */
export async function stopErrorReporting(timeoutMs = 2_000): Promise<void> {
  await sentry?.close(timeoutMs);
  sentry = undefined;
}

/**
 * An error's message may quote a query's values or a document. Its type, stack and our tags find the bug as well,
 * so everything else is left out.
 */
export function scrub(event: ErrorEvent): ErrorEvent {
  const { event_id, timestamp, platform, level, release, environment, tags, type } = event;
  return {
    event_id,
    timestamp,
    platform,
    level,
    release,
    environment,
    tags,
    type,
    exception: {
      values: event.exception?.values?.map((e) => ({
        type: e.type,
        value: '[scrubbed]',
        mechanism: e.mechanism,
        stacktrace: {
          frames: e.stacktrace?.frames?.map(({ filename, function: name, lineno, colno, in_app }) => ({
            filename,
            function: name,
            lineno,
            colno,
            in_app,
          })),
        },
      })),
    },
  };
}
