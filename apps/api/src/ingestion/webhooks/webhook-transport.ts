export interface Posted {
  status: number;
  /** As the endpoint asks; undefined when it does not. */
  retryAfterMs?: number;
}

/** How messages leave: to public addresses only, because tenants choose where. */
export abstract class WebhookTransport {
  /** @throws TransientFailure or FatalFailure when there is no answer; every answer is a result */
  abstract post(
    url: string,
    message: { headers: Record<string, string>; body: string; signal: AbortSignal },
  ): Promise<Posted>;
}
