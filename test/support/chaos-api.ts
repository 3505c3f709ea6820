import { setTimeout as delay } from 'node:timers/promises';
import type { DocumentBody, PassageBody } from '../../apps/api/src/ingestion/documents/document.dto.js';
import type { ReindexBody } from '../../apps/api/src/ingestion/generations/reindex.dto.js';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };

/** All of a processed document that must not depend on what happened meanwhile. */
export interface Result {
  document: Pick<
    DocumentBody,
    'id' | 'status' | 'answerable' | 'percent' | 'passages' | 'assessment' | 'reason'
  >;
  stages: string[];
  passages: PassageBody[];
}

/** A client of the program for the tests that kill it. */
export class Api {
  private constructor(
    private readonly url: string,
    private readonly headers: Record<string, string>,
  ) {}

  static async connect(url: string): Promise<Api> {
    const login = await fetch(`${url}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify(ADMIN),
      headers: { 'content-type': 'application/json' },
    });
    const { access_token } = (await login.json()) as { access_token: string };
    return new Api(url, { authorization: `Bearer ${access_token}` });
  }

  async upload(text: string): Promise<DocumentBody> {
    const body = new FormData();
    body.append('file', new Blob([text]), 'plan.md');
    return this.json('/v1/documents', { method: 'POST', body });
  }

  get(id: string): Promise<DocumentBody> {
    return this.json(`/v1/documents/${id}`);
  }

  /** Orders all documents anew. */
  async reindex(from: 'extract' | 'embed'): Promise<string> {
    const body = JSON.stringify({ scope: { everything: true }, from });
    const headers = { 'content-type': 'application/json' };
    return (await this.json<{ id: string }>('/v1/reindexes', { method: 'POST', body, headers })).id;
  }

  /** Waits until the order has ended, and gives how many documents were switched. */
  async switchedBy(reindexId: string): Promise<number> {
    for (;;) {
      const order = await this.json<ReindexBody>(`/v1/reindexes/${reindexId}`);
      if (order.finished_at !== null) return order.items.switched!;
      await delay(100);
    }
  }

  async listIds(): Promise<string[]> {
    const { items } = await this.json<{ items: DocumentBody[] }>('/v1/documents');
    return items.map((item) => item.id);
  }

  async delete(id: string): Promise<void> {
    await fetch(`${this.url}/v1/documents/${id}`, { method: 'DELETE', headers: this.headers });
  }

  /** Waits until the document has been processed, and gives all that must not depend on what happened meanwhile. */
  async result(id: string): Promise<Result> {
    let body = await this.get(id);
    while (body.status === 'queued' || body.status === 'processing') {
      await delay(100);
      body = await this.get(id);
    }
    const { status, answerable, percent, passages, assessment, reason } = body;
    return {
      document: { id, status, answerable, percent, passages, assessment, reason },
      stages: body.stages.map((stage) => `${stage.name} ${stage.status}`),
      passages: await this.allPassages(id),
    };
  }

  private async allPassages(id: string): Promise<PassageBody[]> {
    type Page = { items: PassageBody[]; next_cursor: string | null };
    const all: PassageBody[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const page: Page = await this.json(`/v1/documents/${id}/passages?limit=100${query}`);
      all.push(...page.items);
      cursor = page.next_cursor;
    }
    return all;
  }

  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      ...init,
      headers: { ...this.headers, ...(init.headers as Record<string, string>) },
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}
