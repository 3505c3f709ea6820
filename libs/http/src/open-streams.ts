import type { FastifyInstance, FastifyReply } from 'fastify';
import type { StreamConfig } from './http.config.js';
import { TooManyStreams } from './http.errors.js';

interface Held {
  streams: number;
  watchers: number;
}

/** The event streams that are open, by tenant: each holds a connection and memory for as long as its reader likes. */
export class OpenStreams {
  private readonly tenants = new Map<string, Held>();
  private total = 0;

  constructor(private readonly limits: StreamConfig) {}

  /** False when the tenant or the process has as many as it may. */
  hasRoom(tenantId: string, { isWatcher = false } = {}): boolean {
    const { streams, watchers } = this.tenants.get(tenantId) ?? { streams: 0, watchers: 0 };
    const { perProcess, perTenant, watchersPerTenant } = this.limits;
    if (this.total >= perProcess || streams >= perTenant) return false;
    return !isWatcher || watchers < watchersPerTenant;
  }

  /** @throws TooManyStreams */
  assertRoom(tenantId: string, { isWatcher = false } = {}): void {
    if (!this.hasRoom(tenantId, { isWatcher })) throw new TooManyStreams();
  }

  /** @returns what is to be called once when the stream has ended */
  enter(tenantId: string, { isWatcher = false } = {}): () => void {
    this.assertRoom(tenantId, { isWatcher });
    this.count(tenantId, 1, isWatcher);
    return () => this.count(tenantId, -1, isWatcher);
  }

  private count(tenantId: string, by: 1 | -1, isWatcher: boolean): void {
    const held = this.tenants.get(tenantId) ?? { streams: 0, watchers: 0 };
    held.streams += by;
    if (isWatcher) held.watchers += by;
    this.total += by;
    if (held.streams > 0) this.tenants.set(tenantId, held);
    else this.tenants.delete(tenantId);
  }
}

const OPEN_STREAMS = Symbol('open streams');

export function registerEventStreams(fastify: FastifyInstance, limits: StreamConfig): void {
  fastify.decorate(OPEN_STREAMS, new OpenStreams(limits));
}

/** undefined where none were registered: nothing is limited. */
export function openStreamsOf({ server }: FastifyReply): OpenStreams | undefined {
  return (server as { [OPEN_STREAMS]?: OpenStreams })[OPEN_STREAMS];
}
