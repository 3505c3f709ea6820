import { randomUUID } from 'node:crypto';
import type { Principal, Role } from '#libs/auth';
import { DirectoryService } from '../../apps/api/src/tenants/directory.service.js';
import type { StoredTenantRules } from '../../apps/api/src/tenants/stored-tenant-rules.js';
import type { TenantSettings } from '../../apps/api/src/tenants/tenant.js';
import { TenantSettingsService } from '../../apps/api/src/tenants/tenant-settings.service.js';
import { until } from '../support/faulty-database.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('tenants on a real database', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase();
  });
  afterAll(() => db?.close());

  const principal = (tenantId: string, userId: string, role: Role): Principal => ({
    tenantId,
    userId,
    role,
    via: 'session',
    credentialId: userId,
  });
  const setSettings = (tenantId: string, settings: TenantSettings) =>
    db.owner.query('update tenant set settings = $2 where tenant_id = $1', [tenantId, settings]);

  it('take no setting back that somebody else changes at the same moment', async () => {
    const { tenantId, userId } = await db.createTenant();
    const settings = new TenantSettingsService(db.tenantDb, {
      forget: () => undefined,
    } as unknown as StoredTenantRules);
    const operator = await db.owner.connect();
    try {
      await operator.query('begin');
      await operator.query(`update tenant set settings = '{"quota_factor": 0.1}' where tenant_id = $1`, [
        tenantId,
      ]);
      const changed = settings.change(principal(tenantId, userId, 'admin'), { answer_threshold: 0.5 });
      await until(async () => {
        const { rows } = await db.owner.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      await operator.query('commit');
      expect((await changed).settings).toEqual({ quota_factor: 0.1, answer_threshold: 0.5 });
    } finally {
      operator.release();
    }
  });

  describe('the directory of those with whom one can share', () => {
    let tenantId: string;
    let directory: DirectoryService;
    const ids = new Map<string, string>();
    const add = async (email: string, tenant = tenantId) => {
      const id = randomUUID();
      ids.set(email, id);
      await db.owner.query(
        `insert into app_user (tenant_id, id, email, password_hash, role) values ($1, $2, $3, 'none', 'member')`,
        [tenant, id, email],
      );
      return id;
    };
    const marker = randomUUID().slice(0, 8);
    const address = (name: string) => `${name}.${marker}@example.com`;
    const find = async (by: string, { role = 'member' as Role, q = '', limit = 100 } = {}) =>
      (await directory.list(principal(tenantId, ids.get(address(by))!, role), { q, limit })).map(
        ({ name }) => name,
      );

    beforeAll(async () => {
      directory = new DirectoryService(db.tenantDb);
      tenantId = (await db.createTenant()).tenantId;
      await db.owner.query(`delete from app_user where tenant_id = $1`, [tenantId]);
      for (const name of ['ann', 'bob', 'bobby', 'carl']) await add(address(name));
      await add(address('bo-elsewhere'), (await db.createTenant()).tenantId);
      const [suspended, program] = [await add(address('bo-gone')), await add(address('service'))];
      await db.owner.query('update app_user set disabled_at = now() where id = $1', [suspended]);
      await db.owner.query(
        `insert into service_account (tenant_id, user_id, name, created_by) values ($1, $2, 'Bordereau', $3)`,
        [tenantId, program, ids.get(address('ann'))],
      );
      const group = randomUUID();
      await db.owner.query(`insert into user_group (tenant_id, id, name) values ($1, $2, 'g')`, [
        tenantId,
        group,
      ]);
      for (const name of ['ann', 'bobby'])
        await db.owner.query(
          `insert into user_group_member (tenant_id, group_id, user_id) values ($1, $2, $3)`,
          [tenantId, group, ids.get(address(name))],
        );
    });

    it('tells of those of one’s groups, and of whom one knows the whole address of', async () => {
      expect(await find('ann')).toEqual([address('bobby')]);
      expect(await find('carl')).toEqual([]);
      expect(await find('carl', { role: 'manager', q: 'an' })).toEqual([]);
      expect(await find('carl', { q: address('ANN') })).toEqual([address('ann')]);
      expect(await find('carl', { q: address('bo-gone') })).toEqual([]);
      expect(await find('carl', { q: address('bo-elsewhere') })).toEqual([]);
      expect(await find('carl', { role: 'admin', q: 'an' })).toEqual([address('ann')]);
    });

    it('tells of all people and programs that are there where the tenant says so, page by page', async () => {
      await setSettings(tenantId, { directory: 'everybody' });
      expect(await find('ann', { q: 'BO' })).toEqual([address('bob'), address('bobby'), 'Bordereau']);
      expect(await find('ann', { q: 'b%' })).toEqual([]);
      const seen: string[] = [];
      const me = principal(tenantId, ids.get(address('ann'))!, 'member');
      for (let after: { name: string; id: string } | undefined; ;) {
        const page = await directory.list(me, { after, limit: 1 });
        if (page.length === 0) break;
        seen.push(page[0]!.name);
        after = { name: page[0]!.name, id: page[0]!.id };
      }
      expect(seen).toEqual([address('bob'), address('bobby'), 'Bordereau', address('carl')]);
    });
  });
});
