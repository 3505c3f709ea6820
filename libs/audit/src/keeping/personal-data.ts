import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { SealBroken, type SealingKey } from '#libs/secrets';
import type { PersonalField, PersonalValues } from '../audit-record.js';
import type { EventIdentity } from '../event/audit-body.js';
import { LegalHoldInForce } from './keeping.errors.js';
import { LegalHolds } from './legal-holds.js';

/** As it stands in the body of an event: SHA-256(salt ‖ value) in base64, which tells nothing without the salt. */
export interface Commitment {
  field: PersonalField;
  commitment: string;
}

/** What goes with an event into the log: commitments into its body, what opens them beside it. */
export interface CommittedValues {
  refs: Commitment[];
  /** Salts and values, AES-256-GCM. */
  sealed: Buffer;
}

/** What an event says of a person. */
export interface PersonalDatum extends Commitment {
  /** shown: the value is that of the commitment. erased: nobody can tell it any more. altered: it is another one. */
  state: 'shown' | 'erased' | 'altered';
  value?: string;
  /** Base64: whoever has it can compare value and commitment. */
  salt?: string;
}

const SALT_BYTES = 32;

/**
 * Personal data of the audit log. Events carry commitments; values and salts stand sealed in a table of their own, where
 * they can be erased without touching what was hashed.
 */
export class PersonalData {
  private readonly holds = new LegalHolds();

  constructor(private readonly key: Pick<SealingKey, 'seal' | 'open'>) {}

  /** undefined when there is nothing to commit to. */
  commit(
    event: Pick<EventIdentity, 'tenantId' | 'id'>,
    values: PersonalValues = {},
  ): CommittedValues | undefined {
    const fields = (Object.keys(values) as PersonalField[]).filter((field) => values[field]).sort();
    if (fields.length === 0) return undefined;
    const salts = randomBytes(SALT_BYTES * fields.length);
    const opened: Opened = {};
    const refs = fields.map((field, i) => {
      const salt = salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES);
      const value = values[field]!;
      opened[field] = [salt.toString('base64'), value];
      return { field, commitment: commitmentOf(salt, value).toString('base64') };
    });
    return { refs, sealed: this.key.seal(JSON.stringify(opened), ownerOf(event.tenantId, event.id)) };
  }

  /** What these events of a tenant say of people, by the id of the event; events that say nothing are not in it. */
  async read(
    tx: EntityManager,
    tenantId: string,
    eventIds: readonly string[],
  ): Promise<Map<string, PersonalDatum[]>> {
    const rows = (await tx.query(
      `select e.id, convert_from(e.body, 'UTF8')::jsonb->'pii_refs' as refs, p.sealed
       from audit_event e left join audit_pii p on p.tenant_id = e.tenant_id and p.event_id = e.id
       where e.tenant_id = $1 and e.id = any($2::uuid[])`,
      [tenantId, eventIds],
    )) as { id: string; refs: Commitment[] | null; sealed: Buffer | null }[];
    return new Map(
      rows.flatMap(({ id, refs, sealed }) =>
        refs ? [[id, this.open(ownerOf(tenantId, id), refs, sealed)] as const] : [],
      ),
    );
  }

  /**
   * Erases what events say of a person for ever: of those that he did himself, and of failed attempts at his account. The
   * events stay, and so do the trees.
   *
   * @param tx sees the tenant
   * @throws LegalHoldInForce
   */
  async erase(tx: EntityManager, tenantId: string, userId: string): Promise<{ commitments: number }> {
    const holds = await this.holds.covering(tx, { tenantId, userId });
    if (holds.length > 0) throw new LegalHoldInForce(holds.map(({ id }) => id));
    const [row] = (await tx.query(`select audit_erase_person($1) as erased`, [userId])) as {
      erased: string;
    }[];
    return { commitments: Number(row!.erased) };
  }

  private open(owner: string, refs: readonly Commitment[], sealed: Buffer | null): PersonalDatum[] {
    const opened = sealed ? this.unseal(owner, sealed) : undefined;
    return refs.map(({ field, commitment }) => {
      if (!sealed) return { field, commitment, state: 'erased' };
      const [salt, value] = opened?.[field] ?? [];
      if (salt === undefined || value === undefined) return { field, commitment, state: 'altered' };
      const told = Buffer.from(commitment, 'base64');
      const computed = commitmentOf(Buffer.from(salt, 'base64'), value);
      const fits = told.length === computed.length && timingSafeEqual(told, computed);
      return fits
        ? { field, commitment, state: 'shown', value, salt }
        : { field, commitment, state: 'altered' };
    });
  }

  private unseal(owner: string, sealed: Buffer): Opened | undefined {
    try {
      return JSON.parse(this.key.open(sealed, owner)) as Opened;
    } catch (error) {
      if (error instanceof SealBroken || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** Salt in base64, and the value. */
type Opened = Partial<Record<PersonalField, [salt: string, value: string]>>;

function commitmentOf(salt: Buffer, value: string): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'buffer');
}

const ownerOf = (tenantId: string, eventId: string) => `audit ${tenantId} ${eventId}`;
