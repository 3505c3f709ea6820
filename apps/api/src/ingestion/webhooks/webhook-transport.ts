import { type AllowedAddresses, postUrl, type Posted } from '#libs/http';

/** An endpoint that says nothing for so long is away. */
const IDLE_MS = 8_000;

/** How messages leave: to what the operator allows (`AllowedAddresses`), because tenants choose where. */
export class WebhookTransport {
  constructor(private readonly allowed: AllowedAddresses) {}

  /** @throws AddressNotAllowed, TransientFailure or FatalFailure when there is no answer; every answer is a result */
  post(
    url: string,
    { signal, ...message }: { headers: Record<string, string>; body: string; signal: AbortSignal },
  ): Promise<Posted> {
    return postUrl(url, message, { allowed: this.allowed, idleMs: IDLE_MS, signal });
  }
}
