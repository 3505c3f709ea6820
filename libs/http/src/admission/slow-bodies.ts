import type { FastifyReply, FastifyRequest } from 'fastify';

interface Expected {
  request: FastifyRequest;
  reply: FastifyReply;
  until: number;
  onLate: (request: FastifyRequest, reply: FastifyReply) => void;
}

const LOOK_EVERY_MS = 1_000;

/** Bodies that are still on their way. One timer for all, because nearly every body comes with its headers. */
export class SlowBodies {
  private readonly expected = new Set<Expected>();
  private readonly timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();

  /** Calls `onLate` when the body has not come within `ms`, a second more or less. */
  expect(request: FastifyRequest, reply: FastifyReply, ms: number, onLate: Expected['onLate']): void {
    this.expected.add({ request, reply, until: performance.now() + ms, onLate });
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    for (const entry of this.expected) {
      const { request, reply, until, onLate } = entry;
      const isOver = request.raw.complete || request.raw.destroyed;
      if (!isOver && now < until) continue;
      this.expected.delete(entry);
      if (!isOver) onLate(request, reply);
    }
  }
}

export function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
