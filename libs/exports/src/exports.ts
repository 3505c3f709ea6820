import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { type Download, newResourceId, rangeIn, type WantedRange } from '#libs/http';
import { type ExportJob, ExportKinds, type NewExport } from './export.js';
import { ExportFiles } from './export-files.js';
import {
  cancelExport,
  countUnderLock,
  type ExportFilter,
  findExport,
  insertExport,
  listExports,
} from './export.store.js';
import { type ExportConfig, exportSection } from './exports.config.js';
import { ExportNotFound, ExportNotReady, TooManyExports } from './exports.errors.js';

/**
 * Asking for exports, looking after them and downloading them. Whom an export is for is up to the caller: every look-up
 * names the kinds, and the person if it is that person's alone.
 */
@Injectable()
export class Exports {
  constructor(
    private readonly db: TenantDb,
    private readonly kinds: ExportKinds,
    private readonly files: ExportFiles,
    @Inject(exportSection.token) private readonly config: ExportConfig,
  ) {}

  /**
   * In the caller's transaction, together with whatever belongs to the request. The repeat of a request under its
   * Idempotency-Key gives the export of the first one.
   *
   * @throws TooManyExports
   */
  async request(tx: EntityManager, request: NewExport): Promise<ExportJob> {
    const { tenantId, kind } = request;
    const id = newResourceId();
    const known = await findExport(tx, { tenantId, kinds: [kind] }, id);
    if (known) return known;
    const { waiting, kept } = await countUnderLock(tx, tenantId);
    const { waitingPerTenant, keptPerTenant } = this.config;
    if (waiting >= waitingPerTenant) throw new TooManyExports(waitingPerTenant);
    if (kept >= keptPerTenant) throw new TooManyExports(keptPerTenant);
    await insertExport(tx, id, request, this.kinds.get(kind).fileOf(request.parameters));
    return (await findExport(tx, { tenantId, kinds: [kind] }, id))!;
  }

  /** @throws ExportNotFound */
  async get(filter: ExportFilter, id: string): Promise<ExportJob> {
    const job = await this.db.read(filter.tenantId, (tx) => findExport(tx, filter, id));
    if (!job) throw new ExportNotFound();
    return job;
  }

  /** The newest first. @param before the id of the last one of the page before */
  list(filter: ExportFilter, page: { before?: string; limit: number }): Promise<ExportJob[]> {
    return this.db.read(filter.tenantId, (tx) => listExports(tx, filter, page));
  }

  /**
   * Ends one that waits or is written, and removes the file of one that is ready; one that is over stays as it is. A
   * change with an audit record, as somebody asked for it.
   *
   * @throws ExportNotFound
   */
  async cancel(filter: ExportFilter, id: string): Promise<void> {
    await this.db.change(filter.tenantId, async (tx) => {
      if (!(await findExport(tx, filter, id))) throw new ExportNotFound();
      await cancelExport(tx, filter.tenantId, id);
    });
    await this.files.remove(filter.tenantId, id);
  }

  /**
   * The file, or the part of it that a `Range` header asks for.
   *
   * @throws ExportNotReady, ExportFileMissing, RangeNotSatisfiable
   */
  async open({ tenantId, id, state, bytes, sha256 }: ExportJob, wanted: WantedRange = {}): Promise<Download> {
    if (state !== 'ready') throw new ExportNotReady(state);
    const [sizeBytes, etag] = [bytes ?? 0, `"${sha256}"`];
    const part = rangeIn(wanted, { sizeBytes, etag });
    return { stream: await this.files.read(tenantId, id, part), sizeBytes, etag, part };
  }

  /** Of a tenant that was deleted, with the rows of its exports. What is missed here, the sweep removes. */
  async removeFiles(tenantId: string): Promise<void> {
    await this.files.removeTenant(tenantId);
  }
}
