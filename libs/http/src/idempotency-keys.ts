import { randomUUID } from 'node:crypto';
import { type TenantDb, uuidv7 } from '#libs/database';

export interface Caller {
  tenantId: string;
  userId: string;
  key: string;
}

/** What an earlier request left under its key. */
export interface Stored {
  fingerprint: Buffer;
  /** null while it is under way. */
  status: number | null;
  body: unknown;
}

/** Either the request is now ours to do, or somebody else did it or is at it. */
export type Claim = { resourceId: string } | { earlier: Stored | undefined };

/** The keys of idempotent requests in the database. They are the user's, and kept for a day. */
export class IdempotencyKeys {
  /** So that what this process is not at work on any more is known to be free, whatever the database was told. */
  private readonly claimant = randomUUID();

  constructor(private readonly db: Pick<TenantDb, 'read' | 'runStatements'>) {}

  /**
   * Claims a key: one that is new, or one whose request ended without anybody knowing how. That is the case when its
   * process says so, when it is this one (which asks only for keys that it is not at work on), or after two minutes.
   */
  async claim({ tenantId, userId, key }: Caller, fingerprint: Buffer): Promise<Claim> {
    const parameters = [tenantId, userId, key, fingerprint, this.claimant, uuidv7()];
    const [, [claimed]] = await this.db.runStatements<[never[], { resource_id: string }[]]>(tenantId, [
      { sql: FORGET_OLD, parameters: [userId] },
      { sql: CLAIM, parameters },
    ]);
    if (claimed) return { resourceId: claimed.resource_id };
    const [earlier] = await this.db.read(tenantId, (tx) => tx.query<Stored[]>(FIND, [userId, key]));
    return { earlier };
  }

  /** @param body undefined when it must not be kept, or there is none */
  keepAnswer({ tenantId, userId, key }: Caller, status: number, body: unknown): Promise<unknown> {
    const json = body === undefined ? null : JSON.stringify(body);
    const parameters = [userId, key, this.claimant, status, json];
    return this.db.runStatements(tenantId, [{ sql: KEEP, parameters }]);
  }

  /** The request ended and nobody knows how: its repeat shall find out, in whichever process. */
  release({ tenantId, userId, key }: Caller): Promise<unknown> {
    return this.db.runStatements(tenantId, [{ sql: RELEASE, parameters: [userId, key, this.claimant] }]);
  }

  /** The request did nothing: the key may be used for another one. */
  forget({ tenantId, userId, key }: Caller): Promise<unknown> {
    return this.db.runStatements(tenantId, [{ sql: FORGET, parameters: [userId, key, this.claimant] }]);
  }
}

const FORGET_OLD = `
  delete from idempotent_request where user_id = $1 and created_at < now() - interval '1 day'`;

const CLAIM = `
  insert into idempotent_request as earlier (tenant_id, user_id, key, fingerprint, claimant, resource_id)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (tenant_id, user_id, key) do update set claimant = excluded.claimant, claimed_at = now()
    where earlier.status is null and earlier.fingerprint = excluded.fingerprint
      and (earlier.claimant is null or earlier.claimant = excluded.claimant
        or earlier.claimed_at < now() - interval '2 minutes')
  returning resource_id`;

const FIND = `select fingerprint, status, body from idempotent_request where user_id = $1 and key = $2`;

const KEEP = `
  update idempotent_request set status = $4, body = $5 where user_id = $1 and key = $2 and claimant = $3`;

const RELEASE = `
  update idempotent_request set claimant = null
  where user_id = $1 and key = $2 and claimant = $3 and status is null`;

const FORGET = `delete from idempotent_request where user_id = $1 and key = $2 and claimant = $3`;
