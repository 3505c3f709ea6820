import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { appBehindProxy } from '../support/app-behind-proxy.js';
import type { FaultProxy } from '../support/fault-proxy.js';
import type { TestApp } from '../support/test-app.js';

/** Cut at each commit of a request in turn; beyond the last one nothing is cut. */
const COMMITS = [0, 1, 2, 3];
const ROUNDS = 4;

describe('a write whose connection is cut at a commit', () => {
  let app: TestApp;
  let proxy: FaultProxy;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ app, proxy, close } = await appBehindProxy());
  }, 60_000);
  afterAll(() => close());

  interface Answer {
    status: number;
    body: Record<string, unknown>;
  }

  async function ask(path: string, init: () => RequestInit & { json?: unknown }): Promise<Answer> {
    const response = await app.fetch(path, init());
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** As a client does: again, with the same key, until it is told the result. */
  async function untilTold(send: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const answer = await send();
      const isLater = answer.status === 503 || answer.body.code === 'idempotent-request-in-progress';
      if (!isLater) return answer;
      await delay(20);
    }
  }

  const cutAt = (skip: number, when: 'before' | 'after') =>
    proxy.inject({ toServer: { resetOn: { bytes: 'COMMIT', when, skip } } });
  const keyed = (json: unknown) => {
    const headers = { ...app.admin, 'idempotency-key': randomUUID() };
    return () => ({ json, headers });
  };
  const count = async (sql: string, value: string) =>
    Number((await app.db.owner.query<{ n: string }>(sql, [value])).rows[0]!.n);

  describe.each(['before', 'after'] as const)('%s it reaches the server', (when) => {
    it.each(COMMITS)(
      'makes one conversation, and tells the same of it each time (commit %i)',
      async (skip) => {
        for (let round = 0; round < ROUNDS; round++) {
          const title = randomUUID();
          const init = keyed({ title });
          await cutAt(skip, when);
          const first = await untilTold(() => ask('/v1/conversations', init));
          await proxy.heal();
          expect(first).toMatchObject({ status: 201, body: { title } });
          expect(await untilTold(() => ask('/v1/conversations', init))).toEqual(first);
          expect(await count('select count(*) as n from conversation where title = $1', title)).toBe(1);
        }
      },
    );

    it.each(COMMITS)('makes one API key, and never another one (commit %i)', async (skip) => {
      for (let round = 0; round < ROUNDS; round++) {
        const name = randomUUID();
        const init = keyed({ name, expires_in_days: 1 });
        await cutAt(skip, when);
        const first = await untilTold(() => ask('/v1/api-keys', init));
        await proxy.heal();
        if (first.status !== 201) expect(first.body.code).toBe('idempotent-response-not-kept');
        for (let again = 0; again < 2; again++)
          expect((await untilTold(() => ask('/v1/api-keys', init))).body.code).toBe(
            'idempotent-response-not-kept',
          );
        expect(await count('select count(*) as n from api_key where name = $1', name)).toBe(1);
      }
    });

    it.each(COMMITS)('makes one document (commit %i)', async (skip) => {
      for (let round = 0; round < ROUNDS; round++) {
        const text = `# Plan ${randomUUID()}\n\nThe deductible is 500 dollars.`;
        const init = () => {
          const body = new FormData();
          body.append('file', new Blob([text]), 'plan.md');
          return { method: 'POST', body, headers: app.admin };
        };
        const before = await count('select count(*) as n from document where $1 <> $$$$', 'all');
        await cutAt(skip, when);
        const first = await untilTold(() => ask('/v1/documents', init));
        await proxy.heal();
        expect([200, 201, 202]).toContain(first.status);
        expect((await untilTold(() => ask('/v1/documents', init))).body.id).toBe(first.body.id);
        expect(await count('select count(*) as n from document where $1 <> $$$$', 'all')).toBe(before + 1);
      }
    });
  });
});
