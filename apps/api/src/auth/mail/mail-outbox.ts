import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from '#libs/database';
import { SealBroken, SealingKey } from '#libs/secrets';
import type { Mail } from './mail-transport.js';

export interface DueMail {
  tenantId: string;
  id: string;
  kind: string;
  sealed: Buffer;
  /** The first is 1. */
  attempt: number;
}

/**
 * Mails that are to be sent. One is written in the transaction of the change that it tells of, so that there is neither
 * a change without its mail nor a mail without its change. Address and text are sealed until they are sent, and gone after.
 */
@Injectable()
export class MailOutbox {
  constructor(private readonly sealing: SealingKey) {}

  /** @param lifeSeconds after which it is not sent any more, because what it says is no longer so */
  async add(
    tx: EntityManager,
    tenantId: string,
    { kind, ...mail }: Mail & { kind: string },
    lifeSeconds: number,
  ): Promise<void> {
    const id = uuidv7();
    await tx.query(
      `insert into mail_outbox (tenant_id, id, kind, sealed, expires_at)
       values ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
      [tenantId, id, kind, this.sealing.seal(JSON.stringify(mail), ownerOf(id)), lifeSeconds],
    );
  }

  /** @throws SealBroken when it was sealed with another key */
  open({ id, sealed }: Pick<DueMail, 'id' | 'sealed'>): Mail {
    return JSON.parse(this.sealing.open(sealed, ownerOf(id))) as Mail;
  }

  /** Takes mails of all tenants for `leaseMs`: whoever takes them and dies leaves them to the others. */
  async claim(tx: EntityManager, most: number, leaseMs: number): Promise<DueMail[]> {
    const [rows] = await tx.query<[DueMail[], number]>(
      `update mail_outbox
       set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2 / 1000.0)
       where (tenant_id, id) in (
         select tenant_id, id from mail_outbox
         where next_attempt_at <= now() and expires_at > now()
         order by next_attempt_at limit $1 for update skip locked)
       returning tenant_id as "tenantId", id, kind, sealed, attempts as attempt`,
      [most, leaseMs],
    );
    return rows;
  }

  async postpone(tx: EntityManager, { tenantId, id }: DueMail, retryMs: number): Promise<void> {
    await tx.query(
      `update mail_outbox set next_attempt_at = now() + make_interval(secs => $3::float / 1000)
       where tenant_id = $1 and id = $2`,
      [tenantId, id, retryMs],
    );
  }

  async remove(tx: EntityManager, { tenantId, id }: DueMail): Promise<void> {
    await tx.query(`delete from mail_outbox where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** Those of a tenant to one address; one that cannot be opened is nobody's, and expires. Returns how many there were. */
  async removeTo(tx: EntityManager, tenantId: string, address: string): Promise<number> {
    const mails = await tx.query<Pick<DueMail, 'tenantId' | 'id' | 'sealed'>[]>(
      `select tenant_id as "tenantId", id, sealed from mail_outbox where tenant_id = $1`,
      [tenantId],
    );
    const ids = mails.filter((mail) => this.isTo(mail, address)).map(({ id }) => id);
    await tx.query(`delete from mail_outbox where tenant_id = $1 and id = any ($2)`, [tenantId, ids]);
    return ids.length;
  }

  private isTo(mail: Pick<DueMail, 'id' | 'sealed'>, address: string): boolean {
    try {
      return this.open(mail).to === address;
    } catch (error) {
      if (error instanceof SealBroken) return false;
      throw error;
    }
  }

  /** Returns how many there were. */
  async removeExpired(tx: EntityManager): Promise<number> {
    const [, count] = await tx.query<[unknown[], number]>(
      `delete from mail_outbox where expires_at <= now()`,
    );
    return count;
  }
}

const ownerOf = (id: string) => `mail:${id}`;
