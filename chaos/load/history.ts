import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';

export type Level = 'full' | 'degraded' | 'minimal' | 'unavailable';
export const LEVELS: readonly Level[] = ['full', 'degraded', 'minimal', 'unavailable'];

export type Phase = 'steady' | 'fault' | 'recovery' | 'healed';

/** What a client did and what it was told. */
export interface Operation {
  id: number;
  kind: string;
  tenant: string;
  replica: string;
  phase: Phase;
  /** Milliseconds since the history began, of the call and of its outcome. */
  startedAt: number;
  endedAt: number;
  /** `info`: no answer came, so nobody knows whether it was done. */
  outcome: 'ok' | 'fail' | 'info';
  status?: number;
  /** The problem's code, or what happened to the connection. */
  code?: string;
  level?: Level;
  servedBy?: string;
  retryAfterMs?: number;
  requestId?: string;
  idempotencyKey?: string;
  /** The answer was that of an earlier request with the same key. */
  replayed?: boolean;
  /** Of what was made: a document, a conversation, a turn. */
  resourceId?: string;
  /** Milliseconds to the first event of a stream. */
  firstEventMs?: number;
  /** Whatever a cell wants to look at later. */
  detail?: Record<string, unknown>;
}

/** Something that must never happen, whatever the fault. */
export interface Violation {
  rule: 'tenant-isolation' | 'problem-json' | 'silent-truncation' | 'monotone-states';
  text: string;
}

/** All operations of a cell, as one line at the call and one at its outcome. */
export class History {
  readonly operations: Operation[] = [];
  readonly violations: Violation[] = [];
  phase: Phase = 'steady';
  private readonly beganAt = performance.now();
  private readonly file: WriteStream;
  private nextId = 1;
  private readonly underWay = new Set<number>();

  constructor(readonly path: string) {
    this.file = createWriteStream(path);
  }

  /** Milliseconds since the history began. */
  now(): number {
    return performance.now() - this.beganAt;
  }

  get openOperations(): number {
    return this.underWay.size;
  }

  invoke(call: Pick<Operation, 'kind' | 'tenant' | 'replica' | 'idempotencyKey'>): Operation {
    const operation: Operation = {
      id: this.nextId++,
      ...call,
      phase: this.phase,
      startedAt: this.now(),
      endedAt: Infinity,
      outcome: 'info',
    };
    this.underWay.add(operation.id);
    this.write({ type: 'invoke', ...operation, endedAt: undefined, outcome: undefined });
    return operation;
  }

  complete(operation: Operation, outcome: Partial<Operation>): Operation {
    Object.assign(operation, outcome, { endedAt: this.now() });
    this.underWay.delete(operation.id);
    this.operations.push(operation);
    this.write({ type: operation.outcome, ...operation });
    return operation;
  }

  violate(rule: Violation['rule'], text: string): void {
    this.violations.push({ rule, text });
    this.write({ type: 'violation', at: this.now(), rule, text });
  }

  /** A mark for whoever reads the file. */
  note(text: string): void {
    this.write({ type: 'note', at: this.now(), text });
  }

  async close(): Promise<void> {
    this.file.end();
    await once(this.file, 'finish');
  }

  private write(line: object): void {
    this.file.write(`${JSON.stringify(line)}\n`);
  }
}

export const durationOf = ({ startedAt, endedAt }: Operation): number => endedAt - startedAt;
