import type { EntityManager } from 'typeorm';
import type { TenantDb } from '#libs/database';
import type { AuditLog } from '../audit-log.js';
import type { AuditKeys } from '../notes/index.js';
import { AuditRetention } from './audit-retention.js';

/** Tenants that have so many steps to go; the steps themselves are the database's. */
function tenantsWith(steps: Record<string, number>) {
  const taken: string[] = [];
  let noted = Promise.withResolvers<void>();
  const select = async (_sql: string, [among]: [string[] | null]) =>
    Object.keys(steps)
      .filter((tenantId) => !among || among.includes(tenantId))
      .map((tenantId) => ({ tenant_id: tenantId, days: '30' }));
  const db = {
    runAsWorker: (work: (tx: EntityManager) => Promise<unknown>) =>
      work({ query: select } as unknown as EntityManager),
    run: async (tenantId: string) => {
      taken.push(tenantId);
      noted.resolve();
      noted = Promise.withResolvers();
      return (steps[tenantId]! -= 1) > 0;
    },
  } as unknown as TenantDb;
  const untilTaken = async (count: number) => {
    while (taken.length < count) await noted.promise;
  };
  return { db, taken, untilTaken };
}

const started = (db: TenantDb, pauseMs: number) => {
  const keys = { signer: {} } as AuditKeys;
  const retention = new AuditRetention(db, {} as AuditLog, keys, '', { runs: true, pauseMs });
  retention.onApplicationBootstrap();
  return retention;
};

describe('the retention of audit logs', () => {
  it('goes on with the tenants that have more to do, and with no other', async () => {
    const { db, taken, untilTaken } = tenantsWith({ much: 4, none: 1, little: 2 });
    const retention = started(db, 1);
    await untilTaken(7);
    await retention.beforeApplicationShutdown();
    expect(taken).toEqual(['much', 'none', 'little', 'much', 'little', 'much', 'much']);
  });

  it('stops between two steps, whatever is left to do', async () => {
    const { db, taken, untilTaken } = tenantsWith({ endless: Infinity });
    const retention = started(db, 600_000);
    await untilTaken(1);
    await retention.beforeApplicationShutdown();
    expect(taken).toEqual(['endless']);
  });
});
