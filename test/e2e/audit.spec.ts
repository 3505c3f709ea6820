import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditKeys, INSTALLATION } from '#libs/audit';
import { loadConfig } from '#libs/config';
import { sections } from '../../apps/api/src/app.config.js';
import { verifyAudit } from '../../apps/api/src/audit-verify.js';
import { hasPython, runPython } from '../support/audit-verifiers.js';
import { until } from '../support/faulty-database.js';
import { testApp, type TestApp } from '../support/test-app.js';

interface Proven {
  id: string;
  action: string;
  proof: {
    format: string;
    body: string;
    checkpoint: string;
    leaf_index: number;
    tree: { size: number; root: string };
  };
}
interface Checkpoints {
  items: { no: number; log_size: number; note: string }[];
  next_cursor: string | null;
}

describe('the evidence of the audit log over HTTP', () => {
  let app: TestApp;
  let folder: string;
  let keys: AuditKeys;

  beforeAll(async () => {
    app = await testApp({ AUDIT_CHECKPOINT_MS: '100' });
    folder = await mkdtemp(join(tmpdir(), 'audit-e2e-'));
    keys = await AuditKeys.load(join(app.dataDir, 'secrets', 'audit-keys.json'));
  });
  afterAll(async () => {
    await app?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const get = (path: string) => app.fetch(`/v1/audit/${path}`, { headers: app.admin });
  const json = async <T>(path: string) => (await (await get(path)).json()) as T;
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;
  const inPython = async (proof: object) => {
    const path = join(folder, 'proof.json');
    await writeFile(path, JSON.stringify(proof));
    return (await runPython([path], keys)).verdicts[0]!;
  };

  /** Polls until a checkpoint tells of the event. */
  async function proven(id: string, scope = 'tenant'): Promise<Proven> {
    let response: Response;
    await until(async () => {
      response = await get(`events/${id}?proof=true&scope=${scope}`);
      return response.status !== 409;
    });
    expect(response!.status).toBe(200);
    return (await response!.json()) as Proven;
  }

  const anEvent = async () => {
    await app.fetch('/v1/api-keys', { headers: app.admin, json: { name: 'evidence' } });
    const { items } = await json<{ items: { id: string }[] }>('events?action=api-key.create&limit=1');
    return items[0]!.id;
  };

  it('proves an event from its text up to a signature', async () => {
    const id = await anEvent();
    const event = await proven(id);
    expect(event).toMatchObject({ id, action: 'api-key.create' });
    expect(JSON.parse(event.proof.body)).toMatchObject({ id, action: 'api-key.create' });
    if (!hasPython) return;
    expect(await inPython(event.proof)).toMatchObject({ status: 'clean' });
    const forged = { ...event.proof, body: event.proof.body.replace('api-key.create', 'api-key.revoke') };
    expect(await inPython(forged)).toMatchObject({
      status: 'tampered',
      findings: [{ kind: 'body-changed' }],
    });
    const moved = { ...event.proof, leaf_index: event.proof.leaf_index + 1 };
    expect(await inPython(moved)).toMatchObject({ status: 'tampered' });
    const unsigned = { ...event.proof, checkpoint: event.proof.checkpoint.replace('time 2', 'time 3') };
    expect(await inPython(unsigned)).toMatchObject({ findings: [{ kind: 'checkpoint-forged' }] });
  });

  it('lists checkpoints page by page and proves that the log only grew', async () => {
    await proven(await anEvent());
    const first = await json<Checkpoints>('checkpoints?limit=1');
    const second = await json<Checkpoints>(`checkpoints?limit=1&cursor=${first.next_cursor}`);
    const [to, from] = [first.items[0]!, second.items[0]!];
    expect(from.no).toBe(to.no - 1);
    const proof = await json<{ from: string; to: string; path: string[] }>(
      `proofs/consistency?from=${from.no}&to=${to.no}`,
    );
    expect([proof.from, proof.to]).toEqual([from.note, to.note]);
    if (hasPython) {
      expect(await inPython(proof)).toMatchObject({ status: 'clean' });
      const other = { ...proof, from: proof.to, to: proof.from };
      if (from.log_size !== to.log_size) expect(await inPython(other)).toMatchObject({ status: 'tampered' });
    }
    for (const query of [`from=${to.no}&to=${from.no}`, `from=1&to=${to.no + 100_000}`]) {
      const refused = await get(`proofs/consistency?${query}`);
      expect([refused.status, await codeOf(refused)]).toEqual([404, 'audit-checkpoint-not-found']);
    }
    expect((await get('proofs/consistency?from=0&to=1')).status).toBe(400);
  });

  it('proves that the tree of the tenant only grew, between two sizes that were signed', async () => {
    const [one, other] = [await proven(await anEvent()), await proven(await anEvent())];
    const [from, to] = [one, other].map(({ proof }) => proof.tree.size);
    expect(to).toBeGreaterThan(from!);
    const proof = await json<{ from: object; to: object }>(
      `proofs/consistency?tree=tenant&from=${from}&to=${to}`,
    );
    expect([proof.from, proof.to]).toMatchObject([one.proof.tree, other.proof.tree]);
    for (const [query, code] of [
      [`from=${to}&to=${from}`, 'audit-tree-state-not-found'],
      [`from=${from}&to=${to! + 100_000}`, 'audit-tree-state-not-found'],
    ]) {
      const refused = await get(`proofs/consistency?tree=tenant&${query}`);
      expect([refused.status, await codeOf(refused)]).toEqual([404, code]);
    }
    if (!hasPython) return;
    expect(await inPython(proof)).toMatchObject({ status: 'clean' });
    const forged = { ...proof, from: { ...proof.from, size: from! - 1 } };
    expect(await inPython(forged)).toMatchObject({ findings: [{ kind: 'head-changed' }] });
    const swapped = { ...proof, from: proof.to, to: proof.from };
    expect(await inPython(swapped)).toMatchObject({ findings: [{ kind: 'tree-rewritten' }] });
  });

  it('gives the keys that an auditor needs', async () => {
    const given = await json<{ origin: string; keys: string[] }>('keys');
    expect(given.origin).toBe(keys.origin);
    expect(given.keys[0]).toMatch(/^insurance-navigator\/[0-9a-f]{12}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
  });

  it('finds events by a part of the action and by ids', async () => {
    const id = await anEvent();
    const found = async (q: string) =>
      (await json<{ items: { id: string; action: string }[] }>(`events?q=${encodeURIComponent(q)}&limit=100`))
        .items;
    expect((await found('KEY.cre')).map(({ action }) => action)).toContain('api-key.create');
    expect((await found('KEY.cre')).every(({ action }) => action.includes('key.cre'))).toBe(true);
    expect(await found(id)).toContainEqual(expect.objectContaining({ id }));
    expect(await found("%' or true --")).toEqual([]);
    const reads = await json<{ items: { category: string }[] }>('events?category=admin');
    expect(reads.items.every(({ category }) => category === 'admin')).toBe(true);
  });

  it('shows events of nobody to operators only, and of others to nobody', async () => {
    await app.fetch('/v1/auth/login', { json: { email: 'nobody@example.com', password: 'wrong' } });
    const { rows } = await app.db.owner.query(
      `select id from audit_event where tenant_id = $1 order by id desc limit 1`,
      [INSTALLATION],
    );
    const id = (rows as { id: string }[])[0]!.id;
    const hidden = await get(`events/${id}`);
    expect([hidden.status, await codeOf(hidden)]).toEqual([404, 'audit-event-not-found']);
    const refused = await get(`events/${id}?scope=installation&proof=true`);
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'forbidden']);
  });

  it('is asked for from any moment that the database knows, and from no other', async () => {
    for (const [from, status] of [
      ['0001-01-01T00:00:00Z', 200],
      ['0000-12-31T23:59:59Z', 400],
      ['2026-01-01T00:00:00%2B15:59', 200],
      ['2026-01-01T00:00:00-16:00', 400],
      ['9999-12-31T23:59:59-15:59', 200],
    ] as const)
      expect([from, (await get(`events?from=${from}`)).status]).toEqual([from, status]);
  });

  it('records who read it', async () => {
    const id = await anEvent();
    await get(`events/${id}`);
    await get('checkpoints');
    const { items } = await json<{ items: { action: string; targets: { id: string }[] }[] }>(
      'events?q=audit.&limit=10',
    );
    const actions = items.map(({ action }) => action);
    expect(actions).toContain('audit.checkpoints');
    expect(items.some(({ action, targets }) => action === 'audit.read' && targets[0]?.id === id)).toBe(true);
  });

  it('is found clean while the program runs', async () => {
    await proven(await anEvent());
    const config = loadConfig(sections, { DATABASE_URL: app.db.url, DATA_DIR: app.dataDir });
    const archive = join(folder, 'archive.ndjson');
    const verdict = await verifyAudit({ write: archive, anchors: [], keys: [] }, config);
    expect(verdict).toMatchObject({ status: 'clean', findings: [], incomplete: [] });
    expect(verdict.counts.events).toBeGreaterThan(5);
    expect(await verifyAudit({ archive, anchors: [], keys: [] }, config)).toMatchObject({ status: 'clean' });
  });
});
