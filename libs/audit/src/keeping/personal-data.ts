import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { SealBroken, type SealingKey } from '#libs/secrets';
import type { PersonalField, PersonalValues } from '../audit-record.js';
import { LegalHolds } from './legal-holds.js';

/** As it stands in the body of an event: SHA-256(salt ‖ value) in base64, which tells nothing without the salt. */
export interface Commitment {
  field: PersonalField;
  commitment: string;
}

/** What opens a commitment, as it stands beside the log; bytes are base64. */
export interface SealedValue {
  tenantId: string;
  commitment: string;
  /** Whose it is; null where nobody knows. */
  subject: string | null;
  /** Salt and value, AES-256-GCM. */
  sealed: string;
}

/** What goes with an event into the log. */
export interface CommittedValues {
  refs: Commitment[];
  /** Those that are not known to be there already. */
  rows: SealedValue[];
  /** They are committed, so that the next events need not bring them again. */
  written(): void;
}

/** What an event says of a person. */
export interface PersonalDatum extends Commitment {
  /** shown: the value is that of the commitment. erased: nobody can tell it any more. altered: it is another one. */
  state: 'shown' | 'erased' | 'altered';
  value?: string;
  /** Base64: whoever has it can compare value and commitment. */
  salt?: string;
}

/** A value that was committed to a short while ago. */
interface Recent extends SealedValue {
  field: PersonalField;
  untilMs: number;
  isWritten: boolean;
}

const SALT_BYTES = 32;
/**
 * For so long, events of the same person share the commitment of the same value: a request costs neither a salt nor a row.
 * It is also the longest that another process may refer to what was erased meanwhile, which then stays unknown.
 */
const SHARED_MS = 600_000;
const MOST_RECENT = 20_000;

/**
 * Personal data of the audit log. Events carry commitments; values and salts stand sealed in a table of their own, where
 * they can be erased without touching what was hashed.
 */
export class PersonalData {
  private readonly holds = new LegalHolds();
  private readonly recent = new Map<string, Recent>();

  constructor(
    private readonly key: Pick<SealingKey, 'seal' | 'open'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * @param subject whose values they are, as far as it is known
   * @returns undefined when there is nothing to commit to
   */
  commit(
    tenantId: string,
    subject: string | undefined,
    values: PersonalValues = {},
  ): CommittedValues | undefined {
    const fields = (Object.keys(values) as PersonalField[]).filter((field) => values[field]).sort();
    if (fields.length === 0) return undefined;
    const used = fields.map((field) => this.recall(tenantId, subject ?? null, field, values[field]!));
    const added = used.filter(({ isWritten }) => !isWritten);
    return {
      refs: used.map(({ field, commitment }) => ({ field, commitment })),
      rows: added,
      written: () => added.forEach((each) => (each.isWritten = true)),
    };
  }

  /** What these events of a tenant say of people, by the id of the event; events that say nothing are not in it. */
  async read(
    tx: EntityManager,
    tenantId: string,
    eventIds: readonly string[],
  ): Promise<Map<string, PersonalDatum[]>> {
    const events = (await tx.query(
      `select id, convert_from(body, 'UTF8')::jsonb->'pii_refs' as refs from audit_event
       where tenant_id = $1 and id = any($2::uuid[])`,
      [tenantId, eventIds],
    )) as { id: string; refs: Commitment[] | null }[];
    const commitments = events.flatMap(({ refs }) => refs ?? []).map(({ commitment }) => commitment);
    if (commitments.length === 0) return new Map();
    const rows = (await tx.query(
      `select commitment, sealed from audit_pii where tenant_id = $1 and commitment = any($2::bytea[])`,
      [tenantId, [...new Set(commitments)].map((each) => Buffer.from(each, 'base64'))],
    )) as { commitment: Buffer; sealed: Buffer }[];
    const sealed = new Map(rows.map((row) => [row.commitment.toString('base64'), row.sealed]));
    const open = (ref: Commitment) => this.open(tenantId, ref, sealed.get(ref.commitment));
    return new Map(events.flatMap(({ id, refs }) => (refs ? [[id, refs.map(open)] as const] : [])));
  }

  /**
   * Erases what the log says of a person for ever: with events that he did himself, and with failed attempts at his
   * account. The events stay, and so do the trees.
   *
   * @param tx sees the tenant
   * @throws LegalHoldInForce
   */
  async erase(tx: EntityManager, tenantId: string, userId: string): Promise<{ commitments: number }> {
    await this.holds.assertNone(tx, { tenantId, userId });
    const [row] = (await tx.query(`select audit_erase_person($1) as erased`, [userId])) as [
      { erased: string },
    ];
    for (const [key, { subject }] of this.recent) if (subject === userId) this.recent.delete(key);
    return { commitments: Number(row.erased) };
  }

  private recall(tenantId: string, subject: string | null, field: PersonalField, value: string): Recent {
    const key = `${tenantId} ${subject} ${field} ${value}`;
    const known = this.recent.get(key);
    if (known && known.untilMs > this.now()) return known;
    const salt = randomBytes(SALT_BYTES);
    const commitment = commitmentOf(salt, value).toString('base64');
    const opened = JSON.stringify([salt.toString('base64'), value] satisfies Opened);
    const sealed = this.key.seal(opened, ownerOf(tenantId, commitment)).toString('base64');
    const untilMs = this.now() + SHARED_MS;
    const made = { tenantId, subject, field, commitment, sealed, untilMs, isWritten: false };
    // What was put in first is forgotten first.
    this.recent.delete(key);
    if (this.recent.size >= MOST_RECENT) this.recent.delete(this.recent.keys().next().value!);
    this.recent.set(key, made);
    return made;
  }

  private open(tenantId: string, ref: Commitment, sealed: Buffer | undefined): PersonalDatum {
    if (!sealed) return { ...ref, state: 'erased' };
    const [salt, value] = this.unseal(ownerOf(tenantId, ref.commitment), sealed) ?? [];
    if (salt === undefined || value === undefined) return { ...ref, state: 'altered' };
    const told = Buffer.from(ref.commitment, 'base64');
    const computed = commitmentOf(Buffer.from(salt, 'base64'), value);
    const fits = told.length === computed.length && timingSafeEqual(told, computed);
    return fits ? { ...ref, state: 'shown', value, salt } : { ...ref, state: 'altered' };
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

/** The salt is base64. */
type Opened = [salt: string, value: string];

function commitmentOf(salt: Buffer, value: string): Buffer {
  return hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'buffer');
}

const ownerOf = (tenantId: string, commitment: string) => `audit ${tenantId} ${commitment}`;
