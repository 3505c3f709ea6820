import { FatalFailure, Overloaded, TransientFailure } from '#libs/errors';
import type { PolicyRegistry } from '#libs/resilience';
import { signedHeaders } from './signature.js';

const MOST_RETRY_AFTER_MS = 3_600_000;

/** Posts signed messages to one address, under the policy of its host. */
export class WebhookSender {
  constructor(
    private readonly url: string,
    private readonly secret: string,
    private readonly policies: Pick<PolicyRegistry, 'keyed'>,
  ) {}

  /** @throws DependencyUnavailable or DependencyTimeout unless it was accepted with a 2xx; repeating it is for the caller */
  async send(id: string, body: string): Promise<void> {
    const policy = this.policies.keyed('webhook', new URL(this.url).host);
    await policy.execute((signal) => this.post(id, body, signal), {
      operation: 'send',
      priority: 'critical',
    });
  }

  private async post(id: string, body: string, signal: AbortSignal): Promise<void> {
    const timestamp = Math.floor(Date.now() / 1_000);
    const headers = {
      'content-type': 'application/json',
      ...signedHeaders(this.secret, id, timestamp, body),
    };
    const response = await this.fetch({ method: 'POST', body, headers, signal, redirect: 'manual' });
    // What it says beyond its status is of no interest, and could be anything.
    await response.body?.cancel();
    if (response.ok) return;
    const message = `the webhook answered ${response.status}`;
    if (response.status !== 429 && response.status !== 503) throw new TransientFailure(message);
    throw new Overloaded(message, { retryAfterMs: retryAfterOf(response) });
  }

  private async fetch(init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.url, init);
    } catch (cause) {
      init.signal?.throwIfAborted();
      const { code } = ((cause as Error).cause ?? {}) as { code?: string };
      if (code === 'ECONNREFUSED') throw new FatalFailure('the webhook refused the connection', { cause });
      throw new TransientFailure('the webhook could not be reached', { cause });
    }
  }
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return seconds >= 0 ? Math.min(seconds * 1_000, MOST_RETRY_AFTER_MS) : undefined;
}
