import { CoolDown } from './cool-down.js';
import { codeOf, failureOf, providerFailure, retryAfterMs } from './provider-failure.js';
import { pingProvider, providerFetch } from './provider-fetch.js';

export interface ProviderClientOptions {
  /** For messages. */
  name: string;
  baseUrl: string;
  apiKey: string;
  /** Of a whole answer. */
  maxBytes: number;
}

/** Asks a server that speaks OpenAI's protocol for answers that come in one piece, as JSON. */
export class ProviderClient {
  private readonly fetch: typeof fetch;
  private readonly coolDown: CoolDown;

  constructor(private readonly options: ProviderClientOptions) {
    const { name, maxBytes } = options;
    this.coolDown = new CoolDown(name);
    this.fetch = providerFetch({ provider: name, contentType: 'application/json', maxBytes });
  }

  /**
   * @param body a form, or what is sent as JSON
   * @returns the answer, of which only that it is JSON was checked
   * @throws ProviderFailure, Overloaded, FatalFailure; ModelRejected and ContextTooLong when the request is refused
   * @throws DependencyUnavailable while the provider wants to be left alone, and the signal's reason after an abort
   */
  async post(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    const { name } = this.options;
    this.coolDown.pass();
    try {
      const response = await this.fetch(this.url(path), { method: 'POST', ...this.encoded(body), signal });
      if (response.ok) return await response.json();
      const { status, headers } = response;
      const { code, text } = errorIn(await response.text());
      throw failureOf(name, { status, code, text, retryAfterMs: retryAfterMs(headers) });
    } catch (error) {
      throw this.coolDown.note(providerFailure(name, error, signal));
    }
  }

  /** @throws unless the provider is alive and lets us in */
  ping(signal: AbortSignal): Promise<void> {
    return pingProvider(this.options.name, this.url('/models'), this.authorization, signal);
  }

  private encoded(body: object): { headers: Record<string, string>; body: FormData | string } {
    // fetch states the boundary of a form by itself.
    if (body instanceof FormData) return { headers: this.authorization, body };
    const headers = { 'content-type': 'application/json', ...this.authorization };
    return { headers, body: JSON.stringify(body) };
  }

  private get authorization() {
    return { authorization: `Bearer ${this.options.apiKey}` };
  }

  private url(path: string): string {
    return this.options.baseUrl.replace(/\/$/, '') + path;
  }
}

/** The code and the words of `{"error": {…}}`; what is none says nothing. */
function errorIn(body: string): { code?: string; text: string } {
  try {
    const { error } = JSON.parse(body) as { error?: Record<string, unknown> };
    return { code: codeOf(error?.['code'], error?.['type']), text: String(error?.['message'] ?? '') };
  } catch {
    return { text: '' };
  }
}
