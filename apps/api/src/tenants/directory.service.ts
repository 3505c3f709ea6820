import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { findTenant } from './tenant.store.js';

/** Somebody with whom things can be shared. */
export interface DirectoryEntry {
  id: string;
  kind: 'person' | 'program';
  /** Of a person, the e-mail address. */
  name: string;
}

export interface DirectoryPlace {
  /** What the name begins with, in any case; all unless given. */
  q?: string;
  after?: Pick<DirectoryEntry, 'id' | 'name'>;
  limit: number;
}

/** Who is there, as those are told who want to share something. */
@Injectable()
export class DirectoryService {
  constructor(private readonly db: TenantDb) {}

  /**
   * By name, without who asks and only those who can log in: all of them where the tenant says so or for who manages
   * them anyway, else those of one's groups, and whoever's whole address one types.
   */
  list(principal: Principal, place: DirectoryPlace): Promise<DirectoryEntry[]> {
    const { tenantId, userId } = principal;
    return this.db.read(tenantId, async (tx) => {
      const seesAll = principalAllows(principal, 'user.manage') || (await isOpen(tx, tenantId));
      return listEntries(tx, { tenantId, userId, seesAll }, place);
    });
  }
}

async function isOpen(tx: EntityManager, tenantId: string): Promise<boolean> {
  return (await findTenant(tx, tenantId))?.settings.directory === 'everybody';
}

async function listEntries(
  tx: EntityManager,
  { tenantId, userId, seesAll }: { tenantId: string; userId: string; seesAll: boolean },
  { q = '', after, limit }: DirectoryPlace,
): Promise<DirectoryEntry[]> {
  return tx.query<DirectoryEntry[]>(
    `select u.id, case when s.user_id is null then 'person' else 'program' end as kind, n.name
     from app_user u
     left join service_account s on s.tenant_id = u.tenant_id and s.user_id = u.id
     cross join lateral (select coalesce(s.name, u.email) as name) n
     where u.tenant_id = $1 and u.id <> $2 and u.disabled_at is null
       and starts_with(lower(n.name), lower($3))
       and ($4 or u.email = lower($3)
            or exists (select from user_group_member mine
                          join user_group_member his on his.tenant_id = mine.tenant_id and his.group_id = mine.group_id
                          where mine.tenant_id = $1 and mine.user_id = $2 and his.user_id = u.id))
       and ($5::text is null or (lower(n.name), u.id) > (lower($5), $6::uuid))
     order by lower(n.name), u.id limit $7`,
    [tenantId, userId, q, seesAll, after?.name ?? null, after?.id ?? null, limit],
  );
}
