import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { currentContext } from '#libs/observability';
import { type TestApp, testApp } from '../support/test-app.js';

/** How the connection dies: before the statement was sent, or after it was carried out and before anybody heard. */
type Way = 'before' | 'after';
type Query = (...args: unknown[]) => Promise<unknown>;

/**
 * Lets exactly one statement fail by the loss of its connection: the n-th of the work with this correlation id, be it in
 * its request or in the job that came of it.
 */
class FailingStatement {
  private readonly original = pg.Client.prototype.query as unknown as Query;
  private count = 0;
  hasFailed = false;

  constructor(
    private readonly correlationId: string,
    private readonly nth: number,
    private readonly way: Way,
  ) {
    const replace = (query: Query) => Object.assign(pg.Client.prototype, { query });
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a prototype's method has a `this` of its own
    const failing = this;
    replace(function (this: pg.Client, ...args: unknown[]) {
      return failing.isNext() ? failing.fail(this, args) : failing.original.apply(this, args);
    });
  }

  restore(): void {
    Object.assign(pg.Client.prototype, { query: this.original });
  }

  private isNext(): boolean {
    if (currentContext()?.correlationId !== this.correlationId) return false;
    this.count += 1;
    return this.count === this.nth;
  }

  private async fail(client: pg.Client, args: unknown[]): Promise<never> {
    this.hasFailed = true;
    if (this.way === 'after') await this.original.apply(client, args).catch(() => undefined);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
  }
}

/** Of an upload every second statement, in a run of minutes; FAIL_NTH_STEP=1 loses each. */
const UPLOAD_STEP = Number(process.env.FAIL_NTH_STEP ?? 2);

const PLAN = `# Plan benefits

The overall deductible is $500 per person.

An emergency room visit costs $300.
`;

describe.each(['before', 'after'] as const)('with the n-th statement lost %s it was carried out,', (way) => {
  let app: TestApp;
  let conversation: string;

  beforeAll(async () => {
    // What a lost statement leaves of a job is taken up again soon, or each of them would take half a minute.
    app = await testApp({ WORKER_LEASE_MS: '2000', WORKER_RETRY_DELAY_MS: '10', WORKER_POLL_MS: '100' });
    const { id } = await upload('first.md', PLAN, randomUUID()).then(bodyOf);
    await settled(id);
    const created = await app.fetch('/v1/conversations', { json: {}, headers: app.admin });
    conversation = (await bodyOf(created)).id;
  }, 120_000);
  afterAll(() => app.close());

  const bodyOf = async (response: Response) => (await response.json()) as { id: string; code?: string };

  function upload(name: string, text: string, correlationId: string): Promise<Response> {
    const form = new FormData();
    form.append('file', new File([text], name));
    const headers = { ...app.admin, 'x-correlation-id': correlationId };
    return app.fetch('/v1/documents', { method: 'POST', body: form, headers });
  }

  function ask(question: string, correlationId: string): Promise<Response> {
    const headers = { ...app.admin, 'x-correlation-id': correlationId, accept: 'application/json' };
    return app.fetch(`/v1/conversations/${conversation}/questions`, { json: { question }, headers });
  }

  /** Reads the document's events to their end. */
  async function settled(id: string): Promise<{ status: string }> {
    await (await app.fetch(`/v1/documents/${id}/events`, { headers: app.admin })).text();
    return (await (await app.fetch(`/v1/documents/${id}`, { headers: app.admin })).json()) as {
      status: string;
    };
  }

  /** Runs `work` with the first, the second … statement failing, until there was none to fail. */
  async function forEachStatement(
    work: (nth: number, correlationId: string) => Promise<void>,
    { first = 1, step = 1 } = {},
  ) {
    let nth = first - step;
    for (let hasFailed = true; hasFailed;) {
      nth += step;
      const correlationId = randomUUID();
      const failing = new FailingStatement(correlationId, nth, way);
      try {
        await work(nth, correlationId);
      } finally {
        failing.restore();
      }
      ({ hasFailed } = failing);
    }
    return nth - step;
  }

  it('a question is answered or refused honestly, and the next one is answered in full', async () => {
    const statements = await forEachStatement(async (nth, correlationId) => {
      // Never the same text twice, so that no answer comes from the cache.
      const response = await ask(`What is the overall deductible${'?'.repeat(nth)}`, correlationId);
      const body = (await response.json()) as { answer?: string; service_level?: string; code?: string };
      if (response.status === 200) expect(body.answer).toContain('$500');
      else
        expect([nth, response.status, response.headers.get('content-type')]).toEqual([
          nth,
          503,
          expect.stringContaining('application/problem+json'),
        ]);
      expect(response.headers.get('x-service-level')).toBe(body.service_level ?? 'unavailable');
      // The circuit may need a moment; nothing else may be left of it.
      const again = await untilOk(() => ask('What does an emergency room visit cost?', randomUUID()));
      expect(await again.json()).toMatchObject({ service_level: 'full', saved: true });
    });
    expect(statements).toBeGreaterThan(10);
  }, 600_000);

  it('an upload is accepted once or refused, and what was accepted is processed', async () => {
    const statements = await forEachStatement(
      async (nth, correlationId) => {
        const text = `${PLAN}\nThis is plan ${way} ${nth}.\n`;
        const first = await upload('plan.md', text, correlationId);
        if (first.status !== 202) expect([nth, first.status]).toEqual([nth, 503]);
        const { id } = await bodyOf(
          first.status === 202 ? first : await untilOk(() => upload('plan.md', text, randomUUID())),
        );
        expect(await settled(id)).toMatchObject({ status: 'ready' });
        const { rows } = await app.db.owner.query<{ documents: number; passages: number; expected: number }>(
          `select (select count(*)::int from document where id = $1) as documents,
                (select count(*)::int from passage where document_id = $1) as passages,
                (select passage_count from document where id = $1) as expected`,
          [id],
        );
        expect(rows[0]).toMatchObject({ documents: 1, passages: rows[0]!.expected });
      },
      { first: way === 'before' ? 1 : 2, step: UPLOAD_STEP },
    );
    expect(statements).toBeGreaterThan(20);
  }, 900_000);

  async function untilOk(request: () => Promise<Response>): Promise<Response> {
    for (;;) {
      const response = await request();
      if (response.ok) return response;
      await response.arrayBuffer();
      expect(response.status).toBe(503);
      await delay(50);
    }
  }
});
