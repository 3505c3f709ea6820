import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readEvents, type ServerEvent } from './server-events.js';

/** The parts of the server's answers that the demonstration uses, with the names they have on the wire. */
export interface DocumentBody {
  id: string;
  title: string;
  filename: string;
  status: 'queued' | 'processing' | 'ready' | 'failed';
  answerable: 'none' | 'lexical' | 'semantic';
  percent: number;
  reason: { code: string; message: string } | null;
  stages: { name: string; status: 'pending' | 'running' | 'done' | 'failed' }[];
}

export interface AnswerBody {
  answer: string;
  not_in_documents: boolean;
  citations: {
    marker: number;
    document_title: string;
    page: number | null;
    time_label?: string | null;
    quote: string;
  }[];
  served_by: string;
  service_level: string;
}

/** The server refused; `code` is stable, `message` is for people. */
export class RequestRefused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

const REQUEST_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** A person's or a program's way to the server: what a front end would do, with `fetch` and nothing else. */
export class ApiClient {
  private credential?: string;

  /** `signal` ends every request, for Ctrl-C. */
  constructor(
    readonly baseUrl: string,
    private readonly signal: AbortSignal,
  ) {}

  /** From here on requests carry this access token or API key. */
  useCredential(credential: string): void {
    this.credential = credential;
  }

  /** False while the server cannot be reached or says that it is not ready. */
  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.baseUrl}/health/ready`, { signal: this.signal });
      await response.arrayBuffer();
      return response.ok;
    } catch (error) {
      this.signal.throwIfAborted();
      if (isConnectionFailure(error)) return false;
      throw error;
    }
  }

  async login(email: string, password: string): Promise<void> {
    const { access_token } = await this.post<{ access_token: string }>('/v1/auth/login', { email, password });
    this.useCredential(access_token);
  }

  async createApiKey(name: string): Promise<string> {
    return (await this.post<{ key: string }>('/v1/api-keys', { name })).key;
  }

  /** Uploads a file from the disk. The server tells its type by its content. */
  async upload(path: string): Promise<DocumentBody> {
    const form = new FormData();
    form.set('file', await openAsBlob(path), basename(path));
    return this.request<DocumentBody>('/v1/documents', { method: 'POST', body: form });
  }

  /**
   * Follows a document until it is ready or has failed, calling `onChange` with every state on the way. A stream that
   * ends early is begun again; the server then tells the present state first.
   */
  async followDocument(
    uploaded: DocumentBody,
    onChange: (document: DocumentBody) => void,
  ): Promise<DocumentBody> {
    let document = uploaded;
    onChange(document);
    while (!isSettled(document)) {
      for await (const event of this.documentEvents(document.id)) {
        document = withEvent(document, event);
        onChange(document);
      }
      // What is asked for says more than the events, such as the reason of a failure.
      document = await this.request<DocumentBody>(`/v1/documents/${document.id}`);
      onChange(document);
      if (!isSettled(document)) await delay(POLL_MS, undefined, { signal: this.signal });
    }
    return document;
  }

  async createConversation(): Promise<string> {
    return (await this.post<{ id: string }>('/v1/conversations', {})).id;
  }

  ask(conversationId: string, question: string, documentIds: string[]): Promise<AnswerBody> {
    const body = { question, document_ids: documentIds };
    return this.post<AnswerBody>(`/v1/conversations/${conversationId}/questions`, body);
  }

  private async *documentEvents(id: string): AsyncGenerator<ServerEvent> {
    const response = await fetch(`${this.baseUrl}/v1/documents/${id}/events`, {
      headers: { ...this.headers(), accept: 'text/event-stream' },
      signal: this.signal,
    });
    if (!response.ok || !response.body) throw await refusalOf(response);
    try {
      yield* readEvents(response.body);
    } catch (error) {
      // A broken connection is not the end: the caller looks again. Ctrl-C is.
      this.signal.throwIfAborted();
      if (!isConnectionFailure(error)) throw error;
    }
  }

  private post<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  /** @throws RequestRefused when the server says no */
  private async request<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${this.baseUrl}${path}`, {
      ...init,
      headers: { ...this.headers(), ...init.headers },
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    if (!response.ok) throw await refusalOf(response);
    return (await response.json()) as T;
  }

  private headers(): Record<string, string> {
    return {
      accept: 'application/json',
      ...(this.credential ? { authorization: `Bearer ${this.credential}` } : {}),
    };
  }
}

/** The state after an event of the progress stream. */
export function withEvent(document: DocumentBody, { name, data }: ServerEvent): DocumentBody {
  const body = JSON.parse(data);
  switch (name) {
    case 'stage': {
      const replaced = document.stages.map((stage) => (stage.name === body.name ? body : stage));
      return { ...document, stages: replaced.includes(body) ? replaced : [...replaced, body] };
    }
    case 'progress':
    case 'status':
    case 'done':
      return { ...document, ...body };
    default:
      return document;
  }
}

function isSettled({ status }: DocumentBody): boolean {
  return status === 'ready' || status === 'failed';
}

/** `fetch` says so by a TypeError, whatever happened on the way. */
function isConnectionFailure(error: unknown): boolean {
  return (error as Error).name === 'TypeError';
}

/** Refusals are problem documents; whatever else comes is told by its status. */
async function refusalOf(response: Response): Promise<RequestRefused> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const code = typeof body.code === 'string' ? body.code : 'unknown';
  const detail = typeof body.detail === 'string' ? body.detail : `The server answered ${response.status}`;
  return new RequestRefused(response.status, code, detail, body);
}
