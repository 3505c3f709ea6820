import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { pick } from '../../../chaos/harness/random.js';
import { ADMIN } from './killed-installation.js';

/** A change that a client asked for. */
export interface Mutation {
  kind: 'create' | 'delete';
  requestId: string;
  /** Of the conversation, once it is known. */
  title: string;
  /** Whether the client was told that it is done; otherwise nobody knows. */
  acknowledged: boolean;
}

const ANSWER_WITHIN_MS = 10_000;
const PAUSE_MS = 50;
/** So many of those that were begun are deleted again. */
const DELETED_SHARE = 0.4;

/** Clients that change something all the time, and remember what they were told. */
export class MutatingClients {
  readonly mutations: Mutation[] = [];
  private token = '';
  private isOver = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly urls: readonly string[],
    private readonly random: () => number,
  ) {}

  begin(count: number): void {
    this.running = Promise.all(Array.from({ length: count }, () => this.change()));
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async change(): Promise<void> {
    while (!this.isOver) {
      const title = randomUUID();
      const created = await this.mutate('create', title, '/v1/conversations', 'POST', { title });
      const id = (created as { id?: string } | undefined)?.id;
      if (id && this.random() < DELETED_SHARE)
        await this.mutate('delete', title, `/v1/conversations/${id}`, 'DELETE');
      if (created === undefined) await delay(PAUSE_MS);
    }
  }

  /** Each attempt is a request of its own. @returns the answer, unless nobody knows what became of it */
  private async mutate(
    kind: Mutation['kind'],
    title: string,
    path: string,
    method: string,
    json?: object,
  ): Promise<object | undefined> {
    const mutation = { kind, title, requestId: randomUUID(), acknowledged: false };
    this.mutations.push(mutation);
    try {
      const response = await fetch(`${pick(this.random, this.urls)}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          'x-request-id': mutation.requestId,
          ...(json && { 'content-type': 'application/json' }),
        },
        ...(json && { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const text = await response.text();
      if (response.status === 401) await this.login();
      mutation.acknowledged = response.ok;
      return response.ok ? ((text ? JSON.parse(text) : {}) as object) : undefined;
    } catch {
      return undefined;
    }
  }

  private async login(): Promise<void> {
    const response = await fetch(`${pick(this.random, this.urls)}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify(ADMIN),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) this.token = ((await response.json()) as { access_token: string }).access_token;
  }
}
