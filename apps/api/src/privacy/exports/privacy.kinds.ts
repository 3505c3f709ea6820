import { Injectable } from '@nestjs/common';
import { TenantDb } from '#libs/database';
import {
  type ExportFile,
  type ExportJob,
  ExportKind,
  type ExportParameters,
  type ExportSink,
} from '#libs/exports';
import { BlobStore } from '../../ingestion/index.js';
import { DATA_MAP } from '../map/data-map.js';
import { CopyWriter, type Subject } from './copy-writer.js';
import { ZipWriter } from './zip-writer.js';

export const PERSON = 'privacy.person';
export const TENANT = 'privacy.tenant';

/** A copy of all that is a person's: one archive, with his documents. */
@Injectable()
export class PersonCopy extends ExportKind {
  readonly kind = PERSON;

  constructor(
    private readonly db: TenantDb,
    private readonly blobs: BlobStore,
  ) {
    super();
  }

  fileOf({ user_id: userId }: ExportParameters): ExportFile {
    return { name: `person-${String(userId)}.zip`, mediaType: 'application/zip' };
  }

  write(
    { tenantId, parameters }: ExportJob,
    out: ExportSink,
    signal: AbortSignal,
  ): Promise<{ rows: number }> {
    const subject = { tenantId, userId: String(parameters.user_id) };
    return writeCopy(subject, { db: this.db, blobs: this.blobs, out, signal });
  }
}

/** A copy of a whole tenant. */
@Injectable()
export class TenantCopy extends ExportKind {
  readonly kind = TENANT;

  constructor(
    private readonly db: TenantDb,
    private readonly blobs: BlobStore,
  ) {
    super();
  }

  fileOf(): ExportFile {
    return { name: 'tenant.zip', mediaType: 'application/zip' };
  }

  write({ tenantId }: ExportJob, out: ExportSink, signal: AbortSignal): Promise<{ rows: number }> {
    return writeCopy({ tenantId }, { db: this.db, blobs: this.blobs, out, signal });
  }
}

async function writeCopy(
  subject: Subject,
  { db, blobs, out, signal }: { db: TenantDb; blobs: BlobStore; out: ExportSink; signal: AbortSignal },
): Promise<{ rows: number }> {
  const zip = new ZipWriter((bytes) => out.write(bytes));
  const copy = new CopyWriter(db, blobs, zip, signal, (rows) => out.progress(rows));
  const tables = DATA_MAP.filter(({ exported, of }) => exported && (subject.userId === undefined || of));
  await zip.add('contents.json', contentsOf(tables));
  for (const table of tables) await copy.addTable(table, subject);
  await copy.addOriginals(subject);
  await zip.finish();
  return { rows: copy.rows };
}

/** What each file is. */
async function* contentsOf(tables: readonly { table: string; holds: string }[]): AsyncIterable<string> {
  const files = tables.map(({ table, holds }) => [`data/${table}.ndjson`, holds]);
  yield JSON.stringify(
    { files: Object.fromEntries([...files, ['originals/', 'The documents as they were uploaded.']]) },
    undefined,
    2,
  );
}
