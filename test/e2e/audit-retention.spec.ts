import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditKeys, AuditRetention } from '#libs/audit';
import { loadConfig } from '#libs/config';
import { sections } from '../../apps/api/src/app.config.js';
import { verifyAudit } from '../../apps/api/src/audit-verify.js';
import { hasPython, runPython } from '../support/audit-verifiers.js';
import { appendOld } from '../support/audit-world.js';
import { eventually } from '../support/operator.js';
import { peopleOf } from '../support/people.js';
import { ADMIN, testApp, type TestApp } from '../support/test-app.js';

const OLD = 40;

describe('the audit log of a tenant that keeps it for a month, in the whole program', () => {
  let app: TestApp;
  let folder: string;
  let people: ReturnType<typeof peopleOf>;
  beforeAll(async () => {
    app = await testApp({ AUDIT_CHECKPOINT_MS: '100' });
    folder = await mkdtemp(join(tmpdir(), 'audit-retention-'));
    people = peopleOf(app);
  });
  afterAll(async () => {
    await app?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Whose log begins with what happened long ago. */
  async function oldTenant() {
    const { tenantId } = await app.db.createTenant();
    await appendOld(app.db, tenantId, { daysAgo: 90, count: OLD });
    const email = `${tenantId}@example.com`;
    await app.db.owner.query(
      `insert into app_user (tenant_id, id, email, password_hash, role)
       select $1, gen_random_uuid(), $2, password_hash, 'admin' from app_user where email = $3`,
      [tenantId, email, ADMIN.email],
    );
    return { tenantId, ...(await people.session(email, ADMIN.password)) };
  }

  it('loses what is old to an archive, tells of it, and stays provable by both verifiers', async () => {
    const { tenantId, headers } = await oldTenant();
    const get = async (path: string) => (await people.send('GET', path, headers)).body;
    const settings = { audit_retention_days: 30 };
    expect((await people.send('PATCH', '/v1/tenant/settings', headers, settings)).status).toBe(200);
    // As the loop of the program does every ten minutes; the sealer and the signer of the program do the rest.
    const [retirement] = await eventually(
      async () => {
        await app.program.app.get(AuditRetention).advance();
        return (await get('/v1/audit/retention')).items;
      },
      ([newest]) => newest?.retired_at,
    );
    expect(retirement).toMatchObject({ to: OLD, archive: `0-${OLD}.ndjson` });
    expect((await get('/v1/audit/events?action=thing.change')).items).toEqual([]);
    const proven = await get(`/v1/audit/events/${retirement.event_id}?proof=true`);
    expect(proven).toMatchObject({ action: 'audit.retention', detail: { from: 0, to: OLD, count: OLD } });

    const paths = { proof: join(folder, 'proof.json'), log: join(folder, 'archive.ndjson') };
    await writeFile(paths.proof, JSON.stringify(proven.proof));
    // The program goes on signing: an archive does not have what was kept elsewhere after it was written.
    const anchors = join(folder, 'anchors.ndjson');
    await copyFile(join(app.dataDir, 'audit-checkpoints.ndjson'), anchors);
    const config = loadConfig(sections, { DATABASE_URL: app.db.url, DATA_DIR: app.dataDir });
    const verdict = await verifyAudit({ write: paths.log, anchors: [], keys: [] }, config);
    expect(verdict).toMatchObject({ status: 'clean', findings: [], counts: { retired: OLD } });
    if (!hasPython) return;
    const retired = join(app.dataDir, 'audit-archive', tenantId, retirement.archive);
    const keys = await AuditKeys.load(join(app.dataDir, 'secrets', 'audit-keys.json'));
    const { verdicts } = await runPython([paths.log, paths.proof, retired], keys, anchors);
    expect(verdicts.map(({ status }) => status)).toEqual(['clean', 'clean', 'clean']);
    expect(verdicts[0]!.counts.retired).toBe(OLD);
  });
});
