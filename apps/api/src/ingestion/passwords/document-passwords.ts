import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SealBroken, SealingKey } from '#libs/secrets';

/** Passwords that open protected documents, from the upload until the document is ready. */
@Injectable()
export class DocumentPasswords {
  private readonly logger = new Logger(DocumentPasswords.name);

  constructor(private readonly key: SealingKey) {}

  /** In place of one that was there. */
  async save(tx: EntityManager, documentId: string, password: string): Promise<void> {
    await tx.query(
      `insert into document_password (tenant_id, document_id, sealed) values (app_tenant(), $1, $2)
       on conflict (tenant_id, document_id) do update set sealed = excluded.sealed`,
      [documentId, this.key.seal(password, documentId)],
    );
  }

  /** Undefined when none was given, or what is kept was sealed with a key that is lost. */
  async find(tx: EntityManager, id: string): Promise<string | undefined> {
    const [row] = await tx.query(`select sealed from document_password where document_id = $1`, [id]);
    if (!row) return undefined;
    try {
      return this.key.open(row.sealed, id);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.logger.warn({ document_id: id }, 'the password of a document was sealed with another key');
      return undefined;
    }
  }

  async has(tx: EntityManager, documentId: string): Promise<boolean> {
    return (await this.find(tx, documentId)) !== undefined;
  }

  async forget(tx: EntityManager, documentId: string): Promise<void> {
    await tx.query(`delete from document_password where document_id = $1`, [documentId]);
  }
}
