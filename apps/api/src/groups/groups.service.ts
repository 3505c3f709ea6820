import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { newResourceId } from '#libs/http';
import { type Withdrawal, Withdrawals } from '../rag/index.js';
import { lockGrantees } from './grantees.js';
import type { Group, Member } from './group.js';
import {
  deleteGroup,
  deleteMember,
  findGroup,
  insertGroup,
  insertMember,
  listGroups,
  listMembers,
  lockGroup,
  renameGroup,
} from './group.store.js';
import { GroupNotFound, MemberNotFound } from './groups.errors.js';

interface Place {
  afterId?: string;
  limit: number;
}

/** Groups of people that documents are shared with. Who comes or goes sees more or less from that moment on. */
@Injectable()
export class GroupsService {
  constructor(
    private readonly db: TenantDb,
    private readonly withdrawals: Withdrawals,
  ) {}

  /** @throws GroupNameTaken, TooManyGroups */
  create({ tenantId }: Principal, name: string): Promise<Group> {
    return this.db.change(tenantId, async (tx) => {
      const id = newResourceId();
      auditDetail({ targets: [{ type: 'group', id }] });
      await insertGroup(tx, { tenantId, id, name });
      return found(tx, tenantId, id);
    });
  }

  /** Those that this person may share something with: his own, or all for who shares documents of others. */
  list(principal: Principal, place: Place): Promise<Group[]> {
    const { tenantId } = principal;
    return this.db.read(tenantId, (tx) =>
      listGroups(tx, { tenantId, memberId: limitedTo(principal) }, place),
    );
  }

  /** @throws GroupNotFound */
  get(principal: Principal, id: string): Promise<Group> {
    return this.db.read(principal.tenantId, (tx) => found(tx, principal.tenantId, id, limitedTo(principal)));
  }

  /** @throws GroupNotFound, GroupNameTaken */
  rename({ tenantId }: Principal, id: string, name: string): Promise<Group> {
    return this.change(tenantId, id, async (tx) => {
      await renameGroup(tx, { tenantId, id, name });
      return found(tx, tenantId, id);
    });
  }

  /** With its grants: what was shared with it is not any more. @throws GroupNotFound */
  delete({ tenantId }: Principal, id: string): Promise<void> {
    return this.change(tenantId, id, async (tx) => {
      const { memberIds, documentGrants, collectionGrants } = await deleteGroup(tx, { tenantId, id });
      const detail = { members: memberIds.length, document_grants: documentGrants };
      auditDetail({ detail: { ...detail, collection_grants: collectionGrants } });
      const from: Withdrawal[] =
        memberIds.length > MOST_MARKS ? ['tenant'] : memberIds.map((userId) => ({ userId }));
      await this.withdrawals.add(tenantId, from);
    });
  }

  /** @throws GroupNotFound */
  listMembers({ tenantId }: Principal, id: string, place: Place): Promise<Member[]> {
    return this.db.read(tenantId, async (tx) => {
      await found(tx, tenantId, id);
      auditDetail({ targets: [{ type: 'group', id }] });
      return listMembers(tx, { tenantId, id }, place);
    });
  }

  /** Harmless when he belongs to it already. @throws GroupNotFound, MemberNotFound */
  addMember({ tenantId }: Principal, id: string, userId: string): Promise<void> {
    return this.change(tenantId, id, async (tx) => {
      const known = await lockGrantees(tx, tenantId, [{ kind: 'user', id: userId }]);
      if (known.length === 0) throw new MemberNotFound();
      const isNew = await insertMember(tx, { tenantId, id }, userId);
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { repeated: !isNew } });
    });
  }

  /** Harmless when he does not belong to it. @throws GroupNotFound */
  removeMember({ tenantId }: Principal, id: string, userId: string): Promise<void> {
    return this.change(tenantId, id, async (tx) => {
      const wasThere = await deleteMember(tx, { tenantId, id }, userId);
      auditDetail({ targets: [{ type: 'user', id: userId }], detail: { repeated: !wasThere } });
      if (wasThere) await this.withdrawals.add(tenantId, [{ userId }]);
    });
  }

  private change<T>(tenantId: string, id: string, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.db.change(tenantId, async (tx) => {
      if (!(await lockGroup(tx, { tenantId, id }))) throw new GroupNotFound();
      auditDetail({ targets: [{ type: 'group', id }] });
      return work(tx);
    });
  }
}

/** More than these are told of as the whole tenant. */
const MOST_MARKS = 100;

/** Whose groups a person is told of: his own, unless all of them are his to share with or to manage. */
function limitedTo(principal: Principal): string | undefined {
  const seesAll = principalAllows(principal, 'document.share') || principalAllows(principal, 'group.manage');
  return seesAll ? undefined : principal.userId;
}

async function found(tx: EntityManager, tenantId: string, id: string, memberId?: string): Promise<Group> {
  const group = await findGroup(tx, { tenantId, id }, memberId);
  if (!group) throw new GroupNotFound();
  return group;
}
