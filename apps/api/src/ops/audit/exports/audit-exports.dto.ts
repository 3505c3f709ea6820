import { z } from 'zod';
import type { ExportJob } from '#libs/exports';
import { cursorQuery, decodeCursor, pageOf } from '#libs/http';
import { ListAuditEvents, toAuditFilter } from '../audit-events.dto.js';
import { auditParameters, FORMATS } from './audit-export.kind.js';

const { cursor: _, limit: __, order: ___, ...filters } = ListAuditEvents.shape;

export const RequestAuditExport = z.strictObject({
  ...filters,
  format: z
    .enum(FORMATS)
    .describe(
      'ndjson: the exact text of each event and its place in the tree; ocsf: OCSF 1.3.0, a line each.',
    ),
  gzip: z.boolean().default(false),
});
export type RequestAuditExport = z.infer<typeof RequestAuditExport>;

export const ListAuditExports = z.strictObject({ ...cursorQuery, scope: filters.scope });
export type ListAuditExports = z.infer<typeof ListAuditExports>;
export const OfScope = z.strictObject({ scope: filters.scope });
export type OfScope = z.infer<typeof OfScope>;

const ExportCursor = z.tuple([z.uuid()]);

export const AuditExportItem = z.object({
  id: z.uuid(),
  state: z.enum(['queued', 'running', 'ready', 'failed', 'expired', 'cancelled']),
  format: z.enum(FORMATS),
  gzip: z.boolean(),
  filter: z.record(z.string(), z.string()),
  requested_by: z.uuid(),
  file_name: z.string(),
  rows: z.int().describe('Written so far.'),
  bytes: z.int().nullable(),
  sha256: z.string().nullable().describe('Of the file, in hex.'),
  manifest: z
    .string()
    .nullable()
    .describe('All of this as a signed note (C2SP), by the key of the checkpoints; null until it is ready.'),
  reason: z.string().nullable().describe('The code of what it failed of.'),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
});
export type AuditExportItem = z.infer<typeof AuditExportItem>;
export const AuditExportPage = pageOf(AuditExportItem);
export type AuditExportPage = z.infer<typeof AuditExportPage>;

export function beforeOf({ cursor }: ListAuditExports): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor, ExportCursor)[0];
}

export function toExportRequest({ format, gzip, ...query }: RequestAuditExport) {
  const given = Object.entries(toAuditFilter(query)).filter(([, value]) => value !== undefined);
  return { format, gzip, filter: Object.fromEntries(given) };
}

export function toAuditExportItem(job: ExportJob): AuditExportItem {
  const { format, filter } = auditParameters(job.parameters);
  const { snapshot: _, ...asked } = filter;
  return {
    id: job.id,
    state: job.state,
    format,
    gzip: job.gzip,
    filter: asked as Record<string, string>,
    requested_by: job.requestedBy,
    file_name: job.fileName,
    rows: job.rows,
    bytes: job.bytes,
    sha256: job.sha256,
    manifest: job.manifest,
    reason: job.reason,
    created_at: job.createdAt.toISOString(),
    finished_at: job.finishedAt?.toISOString() ?? null,
    expires_at: job.expiresAt?.toISOString() ?? null,
  };
}
