import { setTimeout as delay } from 'node:timers/promises';
import { allEvents, type ReceivedEvent } from '../../test/support/event-reader.js';
import type { Tenant } from '../harness/tenants.js';
import { type History, type Level, LEVELS, type Operation } from './history.js';

/** How long a client waits, and what it tells the program that it waits. */
export const CLIENT_DEADLINE_MS = 20_000;

const LONGEST_PAUSE_MS = 5_000;

export interface Call {
  kind: string;
  tenant: Tenant;
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  json?: object;
  form?: FormData;
  /** The answer is a stream of events. */
  stream?: boolean;
  idempotencyKey?: string;
  headers?: Record<string, string>;
  deadlineMs?: number;
}

export interface Received {
  operation: Operation;
  /** Of a JSON answer. */
  body: Record<string, unknown>;
  events: ReceivedEvent[];
}

/** Where calls go: the load balancer of the cell. */
export interface Target {
  name: string;
  url: string;
}

/** Sends calls, records them, and looks at every answer for what must never be in one. */
export class Client {
  constructor(
    readonly history: History,
    private readonly tenants: readonly Tenant[],
    private readonly target: () => Target,
  ) {}

  async send(call: Call): Promise<Received> {
    const target = this.target();
    const { kind, tenant, idempotencyKey } = call;
    const operation = this.history.invoke({
      kind,
      tenant: tenant.name,
      replica: target.name,
      idempotencyKey,
    });
    const received: Received = { operation, body: {}, events: [] };
    // The program is given its deadline, and then a little time to say that it was missed.
    const late = AbortSignal.timeout((call.deadlineMs ?? CLIENT_DEADLINE_MS) + 5_000);
    try {
      const response = await fetch(`${target.url}${call.path}`, { ...requestOf(call), signal: late });
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      const outcome = isStream
        ? await this.readStream(response, received, tenant)
        : await this.readBody(response, received, call);
      this.history.complete(operation, { ...headersOf(response), ...outcome });
    } catch (error) {
      this.history.complete(operation, outcomeOfFailure(error, late));
    }
    return received;
  }

  /**
   * As every careful client: the same call again until it is acknowledged or `signal` aborts, after the time that the server
   * asked for, and after twice as long each time.
   */
  async insist(call: Call, signal: AbortSignal, firstPauseMs = 1_000): Promise<Received | undefined> {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const received = await this.send(call);
      const { outcome, status = 0 } = received.operation;
      if (outcome === 'ok') return received;
      // A refusal that no repetition changes; "under way" (409) and "too many" (429) pass.
      if (status >= 400 && status < 500 && status !== 409 && status !== 429) return received;
      const waitMs = Math.max(pauseMs, received.operation.retryAfterMs ?? 0);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  private async readBody(response: Response, received: Received, call: Call): Promise<Partial<Operation>> {
    const text = await response.text();
    this.lookForCanaries(text, call.tenant, call.kind);
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('json')) received.body = JSON.parse(text) as Record<string, unknown>;
    if (response.ok) return outcomeOfBody(received.body);
    if (!type.startsWith('application/problem+json'))
      this.history.violate(
        'problem-json',
        `${call.kind} was answered ${response.status} as ${type || 'nothing'}`,
      );
    return { outcome: 'fail', code: String(received.body['code'] ?? '') };
  }

  private async readStream(
    response: Response,
    received: Received,
    tenant: Tenant,
  ): Promise<Partial<Operation>> {
    const { operation } = received;
    received.events = await allEvents(response);
    // The text comes in pieces, and a word may lie across two of them.
    const text = received.events.map(({ data }) => String(data['delta'] ?? '')).join('');
    this.lookForCanaries(text + JSON.stringify(received.events), tenant, operation.kind);
    const last = received.events.at(-1);
    const answer = received.events.find(({ event }) => event === 'final_answer')?.data;
    if (last?.event === 'done') return outcomeOfBody(answer ?? {});
    if (last?.event === 'error')
      return { outcome: 'fail', code: String(last.data['code']), detail: { ...last.data } };
    this.history.violate('silent-truncation', `a stream ended after ${last?.event ?? 'nothing'}`);
    return { outcome: 'fail', code: 'stream-ended' };
  }

  private lookForCanaries(text: string, reader: Tenant, kind: string): void {
    for (const other of this.tenants)
      if (other !== reader && other.canaries.some((canary) => text.includes(canary)))
        this.history.violate('tenant-isolation', `${reader.name} read words of ${other.name} (${kind})`);
  }
}

function requestOf(call: Call): RequestInit {
  const { tenant, json, form, stream, idempotencyKey, deadlineMs = CLIENT_DEADLINE_MS } = call;
  return {
    method: call.method ?? (json || form ? 'POST' : 'GET'),
    body: json ? JSON.stringify(json) : form,
    headers: {
      authorization: `Bearer ${tenant.apiKey}`,
      accept: stream ? 'text/event-stream' : 'application/json',
      'x-deadline-ms': String(deadlineMs),
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      ...call.headers,
    },
  };
}

function headersOf({ status, headers }: Response): Partial<Operation> {
  const level = headers.get('x-service-level') as Level | null;
  const retryAfter = headers.get('retry-after');
  return {
    status,
    requestId: headers.get('x-request-id') ?? undefined,
    replayed: headers.has('idempotency-replayed'),
    ...(level && LEVELS.includes(level) ? { level } : {}),
    ...(retryAfter ? { retryAfterMs: Number(retryAfter) * 1_000 } : {}),
  };
}

function outcomeOfBody(body: Record<string, unknown>): Partial<Operation> {
  const { service_level: level, served_by: servedBy, id, saved } = body;
  return {
    outcome: 'ok',
    ...(typeof level === 'string' ? { level: level as Level } : {}),
    ...(typeof servedBy === 'string' ? { servedBy } : {}),
    ...(typeof id === 'string' ? { resourceId: id } : {}),
    ...(saved === false ? { detail: { unsaved: true } } : {}),
  };
}

/** Refused connections are known to have done nothing; of everything else nobody knows. */
function outcomeOfFailure(error: unknown, late: AbortSignal): Partial<Operation> {
  if (late.aborted) return { outcome: 'info', code: 'no-answer' };
  const cause = (error as { cause?: { code?: string } }).cause;
  const code = cause?.code ?? (error as Error).name;
  return { outcome: code === 'ECONNREFUSED' ? 'fail' : 'info', code };
}
