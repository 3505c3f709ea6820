import { Inject, Injectable } from '@nestjs/common';
import { auditDetail } from '#libs/audit';
import { type Principal, principalAllows } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { decodeCursor, newResourceId, page, type Page } from '#libs/http';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { ProcessingService } from '../documents/processing.service.js';
import { DocumentNotFound, DocumentNotOpen, SharingNotAllowed } from '../ingestion.errors.js';
import { notifyJobRevoked } from '../jobs/notifications.js';
import { cleanFileName } from '../uploads/clean-name.js';
import { Archives } from './archives.js';
import type { Import, ImportFields, NewItem } from './import.js';
import {
  type ImportBody,
  type ImportUrls,
  type ItemBody,
  type ListImports,
  type ListItems,
  toItemBody,
} from './import.dto.js';
import { ImportCancelled, ImportNotFound, TooManyItems } from './import.errors.js';
import { type ImportView, toImportBody } from './import-progress.js';
import { type ImportReader, ImportStore } from './import.store.js';
import { type ImportConfig, importSection } from './imports.config.js';

const ImportCursor = z.tuple([z.string().max(40), z.uuid()]);
const ItemCursor = z.tuple([z.number().int()]);

/** Imports as their owners see and steer them; those who manage the tenant's documents do so with all of them. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly db: TenantDb,
    private readonly imports: ImportStore,
    private readonly processing: ProcessingService,
    private readonly archives: Archives,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {}

  /** An import of addresses, which workers fetch. @throws SharingNotAllowed, TooManyItems */
  createFromUrls(
    principal: Principal,
    { urls, ...fields }: ImportUrls,
    correlationId: string | undefined,
  ): Promise<ImportBody> {
    const distinct = [...new Set(urls)];
    if (distinct.length > this.config.maxItems) throw new TooManyItems(this.config.maxItems);
    return this.create(principal, fields, correlationId, distinct.map(urlItem));
  }

  /** An import whose files the request goes on to bring. @throws SharingNotAllowed */
  begin(principal: Principal, fields: ImportFields, correlationId: string | undefined): Promise<ImportBody> {
    return this.create(principal, fields, correlationId, undefined);
  }

  list(principal: Principal, { cursor, limit }: ListImports): Promise<Page<ImportBody>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor, ImportCursor);
    const position = after && { createdAt: after[0], id: after[1] };
    return this.db.read(principal.tenantId, async (tx) => {
      const rows = await this.imports.list(tx, readerOf(principal), position, limit + 1);
      const tallies = await this.imports.tally(
        tx,
        rows.map(({ batch }) => batch.id),
      );
      const talliesOf = Map.groupBy(tallies, (tally) => tally.batchId);
      return page(
        rows,
        limit,
        ({ position: { createdAt, id } }) => [createdAt, id],
        ({ batch }) => toImportBody(batch, talliesOf.get(batch.id) ?? []),
      );
    });
  }

  /** @throws ImportNotFound, also when the reader may not see it */
  get(principal: Principal, id: string): Promise<ImportBody> {
    return this.db.read(principal.tenantId, (tx) => this.body(tx, principal, id));
  }

  /** In the order in which they came. @throws ImportNotFound */
  listItems(principal: Principal, id: string, query: ListItems): Promise<Page<ItemBody>> {
    const [after] = query.cursor === undefined ? [] : decodeCursor(query.cursor, ItemCursor);
    return this.db.read(principal.tenantId, async (tx) => {
      await this.find(tx, principal, id);
      const { state, limit } = query;
      const items = await this.imports.listItems(tx, principal, id, { state, after, limit: limit + 1 });
      return page(items, limit, ({ ordinal }) => [ordinal], toItemBody);
    });
  }

  /** With all of its items. @throws ImportNotFound */
  view(principal: Principal, id: string): Promise<ImportView> {
    return this.db.read(principal.tenantId, async (tx) => {
      const body = await this.body(tx, principal, id);
      const items = await this.imports.listItems(tx, principal, id, {});
      return { body, items: items.map(toItemBody) };
    });
  }

  /** Nothing more of it is begun, neither its files nor its documents; what runs is finished. @throws ImportNotFound, ImportCancelled */
  pause(principal: Principal, id: string): Promise<ImportBody> {
    return this.change(principal, id, async (tx, { state }) => {
      if (state === 'cancelled') throw new ImportCancelled();
      if (state === 'paused') return;
      await this.imports.setState(tx, id, 'paused');
      await this.imports.holdJobs(tx, id);
    });
  }

  /** @throws ImportNotFound, ImportCancelled */
  resume(principal: Principal, id: string): Promise<ImportBody> {
    return this.change(principal, id, async (tx, { state }) => {
      if (state === 'cancelled') throw new ImportCancelled();
      if (state === 'running') return;
      await this.imports.setState(tx, id, 'running');
      await this.imports.releaseJobs(tx, id);
    });
  }

  /**
   * Begins nothing more of it at once, then cancels what it made and what is not done, document by document; what was
   * cut off in that is gone on with by cancelling again. Documents that were there before are left alone.
   *
   * @throws ImportNotFound
   */
  async cancel(principal: Principal, id: string): Promise<ImportBody> {
    const { tenantId } = principal;
    let ownerId = principal.userId;
    let released: Buffer[] = [];
    let open: string[] = [];
    await this.change(principal, id, async (tx, batch) => {
      ownerId = batch.ownerId;
      if (batch.state !== 'cancelled') await this.imports.setState(tx, id, 'cancelled');
      released = await this.imports.cancelItems(tx, id);
      await this.imports.holdJobs(tx, id);
      await notifyJobRevoked(tx, id);
      open = await this.imports.listOpenDocuments(tx, id);
    });
    for (const documentId of open) await this.cancelDocument({ ...principal, userId: ownerId }, documentId);
    for (const sha256 of released) await this.archives.release(tenantId, sha256);
    return this.get(principal, id);
  }

  /** What has ended or gone meanwhile needs nothing more. */
  private async cancelDocument(owner: Principal, documentId: string): Promise<void> {
    try {
      await this.processing.cancel(owner, documentId);
    } catch (error) {
      if (!(error instanceof DocumentNotOpen || error instanceof DocumentNotFound)) throw error;
    }
  }

  private create(
    principal: Principal,
    fields: ImportFields,
    correlationId: string | undefined,
    items: NewItem[] | undefined,
  ): Promise<ImportBody> {
    if (fields.visibility === 'tenant' && !principalAllows(principal, 'document.share'))
      throw new SharingNotAllowed();
    const id = newResourceId();
    const { userId: ownerId } = principal;
    return this.db.change(principal.tenantId, async (tx) => {
      auditDetail({ targets: [{ type: 'import', id }], detail: { urls: items?.length ?? 0 } });
      const isReceiving = items === undefined;
      const isNew = await this.imports.insert(tx, { id, ownerId, fields, correlationId, isReceiving });
      if (isNew && items) await this.imports.addItems(tx, id, items);
      return this.body(tx, principal, id);
    });
  }

  private change(
    principal: Principal,
    id: string,
    work: (tx: EntityManager, batch: Import) => Promise<void>,
  ): Promise<ImportBody> {
    return this.db.change(principal.tenantId, async (tx) => {
      await this.imports.lock(tx, id);
      const batch = await this.find(tx, principal, id);
      auditDetail({ targets: [{ type: 'import', id }] });
      await work(tx, batch);
      return this.body(tx, principal, id);
    });
  }

  private async body(tx: EntityManager, principal: Principal, id: string): Promise<ImportBody> {
    return toImportBody(await this.find(tx, principal, id), await this.imports.tally(tx, [id]));
  }

  private async find(tx: EntityManager, principal: Principal, id: string): Promise<Import> {
    const batch = await this.imports.find(tx, id, readerOf(principal));
    if (!batch) throw new ImportNotFound(id);
    return batch;
  }
}

function readerOf(principal: Principal): ImportReader {
  const { tenantId, userId } = principal;
  return { tenantId, userId, seesAll: principalAllows(principal, 'document.share') };
}

/** A password in an address is not kept, and the address not fetched. */
function urlItem(address: string): NewItem {
  const url = URL.parse(address);
  const name = cleanFileName(url ? decoded(url.pathname) : address);
  if (!url?.username && !url?.password) return { kind: 'url', name, url: address };
  const { host, pathname } = url;
  const message = 'An address with a user name or password in it is not fetched';
  return {
    kind: 'url',
    name,
    url: `${url.protocol}//${host}${pathname}`,
    refused: { code: 'url-not-allowed', message },
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
