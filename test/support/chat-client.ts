import { request } from 'node:http';
import { allEvents, type ReceivedEvent } from './event-reader.js';
import type { TestApp } from './test-app.js';

const PLAN = `# Costs

The overall deductible is $500 per person. Preventive care is not subject to the deductible.

# Emergencies

Emergency room care has a $250 copay per visit. The copay is waived if you are admitted.
`;
export const QUESTION = 'What is the overall deductible?';

export interface AnswerBody {
  id: string;
  answer: string;
  not_in_documents: boolean;
  grounding: number;
  citations: {
    marker: number;
    document_id: string;
    passage_id: string;
    quote: string;
    source_start: number;
    source_end: number;
    answer_start: number;
    answer_end: number;
  }[];
  served_by: string;
  service_level: string;
}

/** A document in a running program, and somebody who asks about it. */
export class ChatClient {
  documentId = '';
  conversationId = '';
  constructor(readonly app: TestApp) {}

  async prepare(): Promise<this> {
    this.documentId = await this.upload('plan.md', PLAN);
    this.conversationId = await this.converse();
    return this;
  }

  async upload(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<string> {
    const body = new FormData();
    body.set('file', new Blob([content], { type: 'text/markdown' }), name);
    const accepted = await this.app.fetch('/v1/documents', { method: 'POST', body, headers: this.app.admin });
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as { id: string };
    const events = await allEvents(
      await this.app.fetch(`/v1/documents/${id}/events`, { headers: this.app.admin }),
    );
    expect(events.at(-1)!.event).toBe('done');
    return id;
  }

  async converse(): Promise<string> {
    const response = await this.app.fetch('/v1/conversations', { json: {}, headers: this.app.admin });
    expect(response.status).toBe(201);
    return ((await response.json()) as { id: string }).id;
  }

  ask(json: object, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
    return this.app.fetch(`/v1/conversations/${this.conversationId}/questions`, {
      ...init,
      method: 'POST',
      json,
      headers: { ...this.app.admin, ...headers },
    });
  }

  stream(json: object, init: RequestInit = {}): Promise<Response> {
    return this.ask(json, { accept: 'text/event-stream' }, init);
  }

  /**
   * Asks and gives a way to hang up. Not by fetch, whose pool opens a new connection in the place of a broken one and
   * keeps it, unused.
   */
  askAndLeave(json: object, accept: string): () => void {
    const sent = request(`${this.app.url}/v1/conversations/${this.conversationId}/questions`, {
      method: 'POST',
      headers: { ...this.app.admin, accept, 'content-type': 'application/json' },
    });
    sent.on('error', () => undefined);
    sent.end(JSON.stringify(json));
    return () => sent.destroy();
  }

  resume(turnId: string, lastEventId?: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.app.fetch(`/v1/conversations/${this.conversationId}/questions/${turnId}/events`, {
      headers: { ...this.app.admin, ...headers, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
    });
  }

  async cancel(turnId: string): Promise<{ status: string }> {
    const path = `/v1/conversations/${this.conversationId}/questions/${turnId}/cancel`;
    const response = await this.app.fetch(path, { method: 'POST', headers: this.app.admin });
    expect(response.status).toBe(200);
    return (await response.json()) as { status: string };
  }

  async messages(): Promise<
    { id: string; status: string; answer: AnswerBody | null; partial: object | null }[]
  > {
    const response = await this.app.fetch(`/v1/conversations/${this.conversationId}`, {
      headers: this.app.admin,
    });
    return ((await response.json()) as { messages: { items: never[] } }).messages.items;
  }
}

/** The text of an answer that came in events. */
export const textOf = (events: ReceivedEvent[]) =>
  events.map(({ event, data }) => (event === 'message' ? String(data['delta']) : '')).join('');

export async function problemOf(response: Response) {
  const body = (await response.json()) as { code: string };
  return { ...body, contentType: response.headers.get('content-type') };
}
