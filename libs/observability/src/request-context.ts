import { AsyncLocalStorage } from 'node:async_hooks';
import type { Priority } from '#libs/resilience';

/**
 * What belongs to one request or one job. Libraries read it (logs, audit, headers); domain code does not look it
 * up but is given what it needs.
 */
export interface RequestContext {
  /** Of this request; sent back as `X-Request-Id`. */
  readonly requestId: string;
  /** Of the whole piece of work: an upload's request and the job that came of it share it. */
  readonly correlationId: string;
  /** `POST /v1/documents`: the route, never the URL with its ids. */
  route?: string;
  /** Where the request comes from. Personal data: never logged. */
  client?: { address: string; agent?: string };
  tenantId?: string;
  userId?: string;
  /** The session's or the API key's id. */
  credentialId?: string;
  /** How many times the usual quotas the tenant has; 1 unless given. */
  quotaFactor?: number;
  /** What the route declares, or less if the client asked for that. */
  priority?: Priority;
  /** For libraries that keep something for the length of the request, under a symbol of their own. */
  readonly state: Map<symbol, unknown>;
}

const storage = new AsyncLocalStorage<RequestContext>();

export function newContext(ids: { requestId: string; correlationId?: string }): RequestContext {
  return { requestId: ids.requestId, correlationId: ids.correlationId ?? ids.requestId, state: new Map() };
}

export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** undefined outside of requests and jobs. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}
