import { extname } from 'node:path';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import type { BlobStore } from '../../ingestion/index.js';
import type { MappedTable } from '../map/mapped-table.js';
import type { ZipWriter } from './zip-writer.js';

/** Whose data: all of a tenant, or of one person in it. */
export interface Subject {
  tenantId: string;
  userId?: string;
}

const ROWS_AT_ONCE = 200;
const DOCUMENTS_AT_ONCE = 100;
/** What may follow the dot in the name of a file that somebody else has named. */
const EXTENSION = /^\.[A-Za-z0-9]{1,10}$/;

/**
 * Writes what the map says is somebody's into an archive: `data/<table>.ndjson` with one row a line, without secrets, and
 * `originals/<document>.<ext>` with the files as they were uploaded. Each table is read in one snapshot.
 */
export class CopyWriter {
  rows = 0;

  constructor(
    private readonly db: TenantDb,
    private readonly blobs: Pick<BlobStore, 'read'>,
    private readonly zip: ZipWriter,
    private readonly signal: AbortSignal,
    private readonly progress: (rows: number) => void,
  ) {}

  /** Not repeated by itself when a connection is lost: what was written cannot be taken back. */
  async addTable(entry: MappedTable, subject: Subject): Promise<void> {
    await this.db.run(subject.tenantId, (tx) =>
      this.zip.add(`data/${entry.table}.ndjson`, this.lines(tx, entry, subject)),
    );
  }

  /** A file that is not where it should be is named in `originals/missing.ndjson`. */
  async addOriginals({ tenantId, userId }: Subject): Promise<void> {
    const missing: string[] = [];
    for (let after: string | null = null; ;) {
      const documents: OriginalRow[] = await this.db.read(tenantId, (tx) =>
        tx.query<OriginalRow[]>(NEXT_DOCUMENTS, [tenantId, userId ?? null, after, DOCUMENTS_AT_ONCE]),
      );
      for (const document of documents)
        if (!(await this.addOriginal(tenantId, document))) missing.push(document.id);
      if (documents.length < DOCUMENTS_AT_ONCE) break;
      after = documents.at(-1)!.id;
    }
    if (missing.length > 0) await this.zip.add('originals/missing.ndjson', linesOf(missing));
  }

  private async addOriginal(tenantId: string, { id, filename, sha256 }: OriginalRow): Promise<boolean> {
    this.signal.throwIfAborted();
    const content = await this.blobs.read(tenantId, sha256).catch(contentMissing);
    if (!content) return false;
    const extension = extname(filename);
    await this.zip.add(`originals/${id}${EXTENSION.test(extension) ? extension : ''}`, content.stream);
    return true;
  }

  private async *lines(tx: EntityManager, entry: MappedTable, subject: Subject): AsyncIterable<string> {
    await openCursor(tx, entry, subject);
    for (;;) {
      this.signal.throwIfAborted();
      const rows = await tx.query<{ line: string }[]>(`fetch ${ROWS_AT_ONCE} from copied`);
      if (rows.length === 0) return;
      this.progress((this.rows += rows.length));
      yield rows.map(({ line }) => `${line}\n`).join('');
    }
  }
}

interface OriginalRow {
  id: string;
  filename: string;
  sha256: Buffer;
}

async function openCursor(
  tx: EntityManager,
  { table, of, secrets = [] }: MappedTable,
  { tenantId, userId }: Subject,
): Promise<void> {
  const condition = userId === undefined ? 'true' : of;
  const row = secrets.reduce((json, column) => `${json} - '${column}'`, 'to_jsonb(t)');
  await tx.query(
    `declare copied no scroll cursor for
     select (${row})::text as line from ${table} t where t.tenant_id = $1 and (${condition})`,
    userId === undefined ? [tenantId] : [tenantId, userId],
  );
}

const NEXT_DOCUMENTS = `
  select id, filename, sha256 from document
  where tenant_id = $1 and ($2::uuid is null or owner_id = $2) and ($3::uuid is null or id > $3)
  order by id limit $4`;

async function* linesOf(ids: readonly string[]): AsyncIterable<string> {
  for (const document_id of ids) yield `${JSON.stringify({ document_id })}\n`;
}

function contentMissing(error: { code?: string }): undefined {
  if (error.code !== 'content-missing') throw error;
}
