import { EventEmitter } from 'node:events';
import { jest } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import { type EventStream, openEventStream } from './event-stream.js';
import { OpenStreams, registerEventStreams } from './open-streams.js';
import { setRevalidation } from './revalidation.js';

/** A response whose reader takes nothing until `take` is called. */
class SlowResponse extends EventEmitter {
  writableLength = 0;
  text = '';
  destroyed = false;
  ended = false;

  write(chunk: string): boolean {
    this.text += chunk;
    this.writableLength += chunk.length;
    return false;
  }
  take(): void {
    this.writableLength = 0;
    this.emit('drain');
  }
  end(): void {
    this.ended = true;
    this.emit('close');
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
  setHeader(): void {}
  writeHead(): void {}
  flushHeaders(): void {}
}

const replyOf = (raw: SlowResponse) =>
  ({ raw, hijack: () => undefined, getHeaders: () => ({}), server: {} }) as unknown as FastifyReply;
const KIB = 'x'.repeat(1_024);

describe('an event stream with a slow reader', () => {
  let raw: SlowResponse;
  let stream: EventStream;
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    raw = new SlowResponse();
    stream = openEventStream(replyOf(raw));
  });
  afterEach(() => jest.useRealTimers());

  /** How many events are sent before the writer has to wait. */
  async function fill(): Promise<{ sent: number; waiting: Promise<void> }> {
    for (let sent = 1; ; sent++) {
      let isSent = false;
      const waiting = stream.send('message', KIB).then(() => void (isSent = true));
      await new Promise((resolve) => setImmediate(resolve));
      if (!isSent) return { sent, waiting };
      if (sent > 1_000) throw new Error('The writer never waits');
    }
  }

  it('makes its writer wait when 256 KiB are on their way, and go on when they were taken', async () => {
    const { sent, waiting } = await fill();
    expect(sent).toBeGreaterThan(200);
    expect(sent).toBeLessThanOrEqual(256);
    raw.take();
    await waiting;
    expect(stream.closed).toBe(false);
    await stream.send('message', KIB);
  });

  it('ends when nothing was taken for 30 s, and frees its writer', async () => {
    const { waiting } = await fill();
    jest.advanceTimersByTime(29_000);
    expect(raw.destroyed).toBe(false);
    jest.advanceTimersByTime(2_000);
    await waiting;
    expect(raw.destroyed).toBe(true);
    expect(stream.closed).toBe(true);
  });

  it('says something every 15 s while there is nothing to say, and nothing after its end', () => {
    jest.advanceTimersByTime(31_000);
    expect(raw.text.match(/: heartbeat/g)).toHaveLength(2);
    stream.end();
    jest.advanceTimersByTime(60_000);
    expect(raw.text.match(/: heartbeat/g)).toHaveLength(2);
  });

  it('keeps what its reader does not take bounded also by its heartbeats', async () => {
    await fill();
    const before = raw.writableLength;
    jest.advanceTimersByTime(29_000);
    expect(raw.writableLength - before).toBeLessThan(100);
  });
});

describe('an event stream that waits', () => {
  const forbidden = new (class extends DomainError {
    readonly code = 'forbidden';
    readonly kind = 'forbidden' as const;
  })('Not any more');
  const away = new (class extends DomainError {
    readonly code = 'away';
    readonly kind = 'unavailable' as const;
  })('Nobody knows');

  it('ends with the reason once its caller may not be here any more, and not because nobody knows', async () => {
    jest.useFakeTimers();
    const raw = new SlowResponse();
    let answer: Error | undefined;
    const stream = runInContext(newContext({ requestId: 'r' }), () => {
      setRevalidation(() => (answer ? Promise.reject(answer) : Promise.resolve()));
      return openEventStream(replyOf(raw), { endsOnShutdown: true });
    });
    for (answer of [undefined, away]) {
      await jest.advanceTimersByTimeAsync(6_000);
      expect(stream.closed).toBe(false);
    }
    answer = forbidden;
    await jest.advanceTimersByTimeAsync(6_000);
    expect(raw.text).toMatch(/event: error\ndata: \{.*"code":"forbidden"/);
    expect(stream.closed).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});

describe('open streams', () => {
  const limits = { perProcess: 3, perTenant: 2, watchersPerTenant: 1 };
  const enter = (streams: OpenStreams, tenantId: string, isWatcher = false) =>
    streams.enter(tenantId, { isWatcher });

  it('are as many as a tenant and a process may have', () => {
    const streams = new OpenStreams(limits);
    const leave = enter(streams, 'a');
    enter(streams, 'a');
    expect(() => enter(streams, 'a')).toThrow('Too many event streams');
    enter(streams, 'b');
    expect(() => enter(streams, 'b')).toThrow('Too many event streams');
    leave();
    enter(streams, 'b');
  });

  it('that only wait are fewer', () => {
    const streams = new OpenStreams(limits);
    const leave = enter(streams, 'a', true);
    expect(() => streams.assertRoom('a', { isWatcher: true })).toThrow('Too many event streams');
    streams.assertRoom('a');
    leave();
    streams.assertRoom('a', { isWatcher: true });
  });

  it('are counted for the tenant whose request opened them, until their connection closes', () => {
    const streams = new OpenStreams({ ...limits, perTenant: 1 });
    const open = (tenantId: string) => {
      const raw = new SlowResponse();
      const reply = Object.assign(replyOf(raw), { server: serverWith(streams) });
      runInContext(Object.assign(newContext({ requestId: 'test' }), { tenantId }), () =>
        openEventStream(reply),
      );
      return raw;
    };
    const first = open('a');
    expect(() => open('a')).toThrow('Too many event streams');
    open('b').destroy();
    first.destroy();
    open('a').destroy();
  });
});

function serverWith(streams: OpenStreams): FastifyReply['server'] {
  let symbol: symbol | undefined;
  const fastify = { decorate: (name: symbol) => (symbol = name) };
  registerEventStreams(fastify as never, { perProcess: 1, perTenant: 1, watchersPerTenant: 1 });
  return { [symbol!]: streams } as unknown as FastifyReply['server'];
}
