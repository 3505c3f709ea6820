import { setTimeout as delay } from 'node:timers/promises';
import type { SampleDocument } from './mixed-documents.js';

interface Listed {
  id: string;
  status: string;
  reason: { code: string } | null;
}
interface Sent {
  id: string;
  document: SampleDocument;
}

const SETTLED = new Set(['ready', 'failed', 'needs_review', 'cancelled']);
const LIMIT_MS = 15 * 60_000;

/** Uploads, and remembers what was acknowledged. */
export class CrashClient {
  static readonly ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };
  readonly acknowledged: Sent[] = [];
  /** As the last list had them. */
  listed = new Map<string, Listed>();
  readonly problems: string[] = [];

  private constructor(
    private readonly url: string,
    private token: string,
  ) {}

  static async connect(url: string): Promise<CrashClient> {
    const client = new CrashClient(url, '');
    await client.login();
    return client;
  }

  async upload(document: SampleDocument): Promise<string> {
    const body = new FormData();
    body.append('file', new Blob([document.content]), document.filename);
    const { id } = await this.json<{ id: string }>('/v1/documents', { method: 'POST', body });
    this.acknowledged.push({ id, document });
    return id;
  }

  async countUnsettled(): Promise<number> {
    const counts = await Promise.all(
      ['queued', 'processing'].map((status) => this.list(`&status=${status}`)),
    );
    return counts.flat().length;
  }

  /** How many ended in each state. @throws when some do not end in a quarter of an hour */
  async untilSettled(): Promise<Map<string, number>> {
    const startedMs = performance.now();
    while ((await this.countUnsettled()) > 0) {
      if (performance.now() - startedMs > LIMIT_MS) throw new Error('Some documents are never settled');
      await delay(500);
    }
    const known = new Set(this.acknowledged.map(({ id }) => id));
    this.listed = new Map(
      (await this.list('')).filter(({ id }) => known.has(id)).map((item) => [item.id, item]),
    );
    const states = new Map<string, number>();
    for (const { id, status, reason } of this.listed.values()) {
      states.set(status, (states.get(status) ?? 0) + 1);
      if (status !== 'ready') this.problems.push(`${id} is ${status}: ${reason?.code}`);
    }
    return states;
  }

  /** Deletes some documents, uploads them again while nothing disturbs, and names those that are not the same. */
  async compareUndisturbed(count: number): Promise<string[]> {
    const step = Math.max(1, Math.floor(this.acknowledged.length / count));
    const chosen = this.acknowledged.filter((_, i) => i % step === 0).slice(0, count);
    const inexact: string[] = [];
    for (const { id, document } of chosen) {
      const before = JSON.stringify(await this.passages(id));
      await this.remove(id);
      const again = await this.upload(document);
      this.acknowledged.pop();
      for (;;) {
        const { status } = await this.json<Listed>(`/v1/documents/${again}`);
        if (SETTLED.has(status)) break;
        await delay(50);
      }
      if (JSON.stringify(await this.passages(again)) !== before) inexact.push(`${id} (${document.filename})`);
    }
    return inexact;
  }

  private async passages(id: string): Promise<unknown[]> {
    return this.pages(`/v1/documents/${id}/passages?limit=100`);
  }

  private list(filter: string): Promise<Listed[]> {
    return this.pages<Listed>(`/v1/documents?limit=100${filter}`);
  }

  private async pages<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: T[]; next_cursor: string | null } = await this.json(
        cursor ? `${path}&cursor=${cursor}` : path,
      );
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  }

  private async remove(id: string): Promise<void> {
    await fetch(`${this.url}/v1/documents/${id}`, { method: 'DELETE', headers: this.headers });
  }

  private get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  private async login(): Promise<void> {
    const response = await fetch(`${this.url}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify(CrashClient.ADMIN),
      headers: { 'content-type': 'application/json' },
    });
    this.token = ((await response.json()) as { access_token: string }).access_token;
  }

  /** Until it is answered: a request may be shed on a busy machine, and a token ends after a quarter of an hour. */
  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    for (;;) {
      const response = await fetch(`${this.url}${path}`, { ...init, headers: this.headers });
      if (response.ok) return (await response.json()) as T;
      const text = await response.text();
      if (response.status === 401) await this.login();
      else if (response.status < 500 && response.status !== 429)
        throw new Error(`${path} answered ${response.status}: ${text}`);
      await delay(200);
    }
  }
}
