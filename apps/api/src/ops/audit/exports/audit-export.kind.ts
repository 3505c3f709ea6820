import { Inject, Injectable } from '@nestjs/common';
import { type AuditFilter, type AuditLine, type EventPosition, readAuditLines } from '#libs/audit';
import { TenantDb } from '#libs/database';
import {
  type ExportFile,
  type ExportJob,
  ExportKind,
  ExportKinds,
  type ExportParameters,
  type ExportSink,
} from '#libs/exports';
import { CSV_HEADER, toCsv } from './audit-csv.js';
import { toNdjson } from './audit-line.js';
import { toOcsf } from './audit-ocsf.js';

export const AUDIT_EXPORT = 'audit';
export const FORMATS = ['ndjson', 'csv', 'ocsf'] as const;
export type AuditFormat = (typeof FORMATS)[number];

export interface AuditExportParameters {
  format: AuditFormat;
  gzip: boolean;
  filter: AuditFilter & { snapshot: string };
}

interface Format {
  mediaType: string;
  ending: string;
  header: string;
  toLine(line: AuditLine): string;
}

const FORMAT: Record<AuditFormat, Format> = {
  ndjson: { mediaType: 'application/x-ndjson', ending: 'ndjson', header: '', toLine: toNdjson },
  csv: { mediaType: 'text/csv; charset=utf-8', ending: 'csv', header: CSV_HEADER, toLine: toCsv },
  ocsf: { mediaType: 'application/x-ndjson', ending: 'ocsf.ndjson', header: '', toLine: toOcsf },
};

/** Few enough that formatting them keeps nobody waiting who shares the process. */
const PAGE = 1_000;

/** The audit log of a tenant as it was when somebody asked for it, the oldest event first. */
@Injectable()
export class AuditExport extends ExportKind {
  override readonly kind = AUDIT_EXPORT;

  constructor(
    @Inject(TenantDb) private readonly db: TenantDb,
    kinds: ExportKinds,
  ) {
    super();
    kinds.register(this);
  }

  override fileOf(parameters: ExportParameters): ExportFile {
    const { format, gzip } = auditParameters(parameters);
    const { mediaType, ending } = FORMAT[format];
    return { name: `audit-${new Date().toISOString().slice(0, 10)}.${ending}`, mediaType, gzip };
  }

  /** Reads a page while the one before is written; never more than these two are in memory. */
  override async write(
    { tenantId, parameters }: ExportJob,
    out: ExportSink,
    signal: AbortSignal,
  ): Promise<{ rows: number }> {
    const { format, filter } = auditParameters(parameters);
    const { header, toLine } = FORMAT[format];
    const read = (after?: EventPosition) => {
      const page = this.db.read(
        tenantId,
        (tx) => readAuditLines(tx, tenantId, filter, { after, limit: PAGE }),
        { signal },
      );
      page.catch(() => undefined); // Should the page before fail, nobody waits for this one.
      return page;
    };
    await out.write(header);
    let rows = 0;
    for (let reading = read(); ;) {
      const lines = await reading;
      const isLast = lines.length < PAGE;
      if (!isLast) reading = read(lines.at(-1));
      await out.write(lines.map(toLine).join(''));
      rows += lines.length;
      out.progress(rows);
      if (isLast) return { rows };
    }
  }
}

export function auditParameters(parameters: ExportParameters): AuditExportParameters {
  return parameters as unknown as AuditExportParameters;
}
