import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadRequestException, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { defer, lastValueFrom } from 'rxjs';
import type { EntityManager } from 'typeorm';
import type { BeforeCommit, Statement, TenantDb } from '#libs/database';
import { DependencyUnavailable, DomainError } from '#libs/errors';
import { newContext, runInContext } from '#libs/observability';
import { SealingKey } from '#libs/secrets';
import { AuditLog, outcomeOf } from './audit-log.js';
import { INSTALLATION, systemActor } from './audit-record.js';
import { AuditSpool } from './audit-spool.js';
import { AuditUnavailable } from './audit.errors.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { Audited } from './audited.decorator.js';
import { PersonalData } from './keeping/index.js';
import { auditActor, auditAgain, auditDetail } from './pending-audit.js';

class Refused extends DomainError {
  readonly code = 'not-yours';
  readonly kind = 'forbidden' as const;
}
class Routes {
  @Audited('thing.change') audited() {}
  @Audited('thing.read', 'data.read') read() {}
  plain() {}
}

/** Keeps what is committed; a failing insert, or failing work, rolls back like the database would. */
class FakeDb {
  readonly rows: {
    tenantId: string;
    action: string;
    outcome: string;
    reason: string | null;
    detail: object;
  }[] = [];
  failing = false;
  private hook!: BeforeCommit;

  onBeforeCommit(hook: BeforeCommit) {
    this.hook = hook;
  }
  async runStatementsAsAuditor(statements: Statement[]) {
    const staged = statements.flatMap(({ parameters: [lines] = [], refused }) => {
      if (this.failing) throw refused?.(new Error('disk full')) ?? new Error('disk full');
      return (lines as string).split('\n').map((line) => {
        const { tenant_id, action, outcome, reason, detail } = JSON.parse(line) as Record<string, string>;
        return {
          tenantId: tenant_id!,
          action: action!,
          outcome: outcome!,
          reason: reason!,
          detail: detail as never,
        };
      });
    });
    await Promise.resolve();
    this.rows.push(...staged);
  }
  async change(tenantId: string, work: () => Promise<unknown>, { losing = false } = {}) {
    const result = await work();
    const record = this.hook(tenantId);
    if (losing) throw new Error('the connection was lost at the commit');
    if (record) await this.runStatementsAsAuditor([record]);
    record?.committed?.();
    return result;
  }
}

const personal = new PersonalData(new SealingKey(randomBytes(32)));

describe('the audit of a request', () => {
  const tenantId = randomUUID();
  let db: FakeDb;
  let log: AuditLog;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'navigator-audit-'));
    db = new FakeDb();
    log = new AuditLog(db as unknown as TenantDb, new AuditSpool(folder), personal);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Sends a request of a known user through the interceptor to `act`. */
  function request(act: () => Promise<unknown>, route: keyof Routes = 'audited', known = true) {
    const context = { getHandler: () => Routes.prototype[route] } as unknown as ExecutionContext;
    const next: CallHandler = { handle: () => defer(act) };
    return runInContext(newContext({ requestId: 'request-1' }), async () => {
      if (known) auditActor({ type: 'user', tenantId, id: randomUUID(), role: 'member' });
      return lastValueFrom(await new AuditInterceptor(log).intercept(context, next), {
        defaultValue: undefined,
      });
    });
  }

  it('records a change once, in its own transaction, with what the service added', async () => {
    const result = await request(async () => {
      auditDetail({ targets: [{ type: 'document', id: 'd1' }], detail: { size_bytes: 7 } });
      return db.change(tenantId, () => Promise.resolve('done'));
    });
    expect(result).toBe('done');
    expect(db.rows).toEqual([
      { tenantId, action: 'thing.change', outcome: 'success', reason: null, detail: { size_bytes: 7 } },
    ]);
  });

  it('records a request that succeeded without a change', async () => {
    await request(() => Promise.resolve('nothing to do'));
    expect(db.rows).toMatchObject([{ tenantId, outcome: 'success' }]);
  });

  it('records details that came after the commit as a further event', async () => {
    await request(async () => {
      await db.change(tenantId, () => Promise.resolve());
      auditDetail({ detail: { late: true } });
    });
    expect(db.rows).toMatchObject([{ detail: {} }, { detail: { late: true } }]);
  });

  it('records each of several changes of one request', async () => {
    await request(async () => {
      await db.change(tenantId, () => Promise.resolve());
      await db.change(tenantId, () => Promise.resolve());
    });
    expect(db.rows).toHaveLength(2);
  });

  it('records a change that was rolled back and that the request went on without', async () => {
    await request(async () => {
      const lost = db.change(tenantId, () => Promise.resolve(), { losing: true });
      await lost.catch(() => auditAgain());
    });
    expect(db.rows).toMatchObject([{ tenantId, outcome: 'success' }]);
  });

  it('records nothing where the route does not ask for it', async () => {
    await request(() => db.change(tenantId, () => Promise.resolve()), 'plain');
    expect(db.rows).toEqual([]);
  });

  it('records a refusal as denied and passes it on', async () => {
    await expect(request(() => Promise.reject(new Refused('no')))).rejects.toThrow(Refused);
    expect(db.rows).toMatchObject([{ outcome: 'denied', reason: 'not-yours' }]);
  });

  it('records a failure even after a change of the same request was committed', async () => {
    const act = async () => {
      await db.change(tenantId, () => Promise.resolve());
      throw new Error('bug');
    };
    await expect(request(act)).rejects.toThrow('bug');
    expect(db.rows).toMatchObject([{ outcome: 'success' }, { outcome: 'failure', reason: 'internal-error' }]);
  });

  it('records a refusal that is itself a change once', async () => {
    const act = async () => {
      await db.change(tenantId, () => {
        auditDetail({ outcome: 'denied', reason: 'not-yours' });
        return Promise.resolve();
      });
      throw new Refused('no');
    };
    await expect(request(act)).rejects.toThrow(Refused);
    expect(db.rows).toMatchObject([{ outcome: 'denied', reason: 'not-yours' }]);
  });

  it('lets nothing be changed that cannot be recorded', async () => {
    db.failing = true;
    await expect(request(() => db.change(tenantId, () => Promise.resolve()))).rejects.toThrow(
      AuditUnavailable,
    );
    await expect(request(() => Promise.resolve())).rejects.toThrow(AuditUnavailable);
    expect(db.rows).toEqual([]);
  });

  it('leaves the error of a failed request as it is when its record cannot be written', async () => {
    db.failing = true;
    await expect(request(() => Promise.reject(new Refused('no')))).rejects.toThrow(Refused);
  });

  it('lets people read while the database is away, and writes their records when it is back', async () => {
    db.failing = true;
    await request(() => Promise.resolve('read'), 'read');
    await request(() => Promise.reject(new Refused('no'))).catch(() => undefined);
    expect(db.rows).toEqual([]);
    db.failing = false;
    await log.beforeApplicationShutdown();
    await log.beforeApplicationShutdown();
    expect(db.rows).toMatchObject([
      { tenantId, action: 'thing.read', outcome: 'success' },
      { tenantId, action: 'thing.change', outcome: 'denied' },
    ]);
  });

  it('does not ask the database again that could not be asked, and writes the record later', async () => {
    const away = new DependencyUnavailable('postgres', { reason: 'queue-timeout' });
    await expect(request(() => Promise.reject(away))).rejects.toBe(away);
    expect(db.rows).toEqual([]);
    await log.beforeApplicationShutdown();
    expect(db.rows).toMatchObject([{ tenantId, outcome: 'failure', reason: 'dependency-unavailable' }]);
  });

  it('lets nobody read what cannot be recorded anywhere', async () => {
    log = new AuditLog(db as unknown as TenantDb, new AuditSpool(folder, 10), personal);
    db.failing = true;
    await expect(request(() => Promise.resolve('read'), 'read')).rejects.toThrow(AuditUnavailable);
  });

  it('records an unknown caller for the installation, and stops doing so in a flood', async () => {
    const attempt = () =>
      request(() => Promise.reject(new Refused('no')), 'audited', false).catch(() => undefined);
    for (let i = 0; i < 500; i++) await attempt();
    expect(db.rows.every((row) => row.tenantId === INSTALLATION)).toBe(true);
    // 120 a minute; a minute may end while the test runs.
    expect([120, 240]).toContain(db.rows.length);
  });

  it('never lets a flood of unknown callers suppress the record of a known one', async () => {
    for (let i = 0; i < 300; i++)
      await request(() => Promise.reject(new Refused('no')), 'audited', false).catch(() => undefined);
    await request(() => Promise.resolve());
    expect(db.rows.at(-1)).toMatchObject({ tenantId, outcome: 'success' });
  });

  it('appends an act of the program itself to the transaction of that act', async () => {
    const tx = {
      query: (sql: string, parameters: unknown[]) => db.runStatementsAsAuditor([{ sql, parameters }]),
    };
    await log.append(tx as unknown as EntityManager, {
      action: 'tenant.create',
      category: 'system',
      actor: systemActor(tenantId),
      targets: [],
      outcome: 'success',
      context: {},
      detail: {},
    });
    expect(db.rows).toMatchObject([{ tenantId, action: 'tenant.create' }]);
  });

  it('ignores details outside of a request', () => {
    expect(() => auditDetail({ detail: { a: 1 } })).not.toThrow();
  });
});

describe('the outcome of a failed request', () => {
  it.each([
    [new Refused('no'), 'denied', 'not-yours'],
    [new DependencyUnavailable('postgres'), 'failure', 'dependency-unavailable'],
    [new BadRequestException(), 'failure', 'http-400'],
    [new TypeError('x'), 'failure', 'internal-error'],
    [undefined, 'failure', 'internal-error'],
  ])('of %p is %s', (error, outcome, reason) => {
    expect(outcomeOf(error)).toEqual({ outcome, reason });
  });
});
