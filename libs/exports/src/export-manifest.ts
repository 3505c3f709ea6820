import { type AuditKeys, canonicalJson, signNote } from '#libs/audit';
import type { ExportJob } from './export.js';

/** The first line of every manifest: no checkpoint of the log begins so. */
export const MANIFEST_FORMAT = 'insurance-navigator/export/v1';

/**
 * What is in the file, who asked for it and when, as a note (C2SP) of two lines: the format, and canonical JSON. It is
 * signed by the key that signs the checkpoints of the audit log.
 */
export function manifestOf(
  job: ExportJob,
  file: { rows: number; bytes: number; sha256: string; finishedAt: Date },
  signer: NonNullable<AuditKeys['signer']>,
): string {
  const content = canonicalJson({
    bytes: file.bytes,
    file_name: job.fileName,
    finished_at: file.finishedAt.toISOString(),
    id: job.id,
    kind: job.kind,
    media_type: job.mediaType,
    parameters: job.parameters,
    requested_at: job.createdAt.toISOString(),
    requested_by: job.requestedBy,
    rows: file.rows,
    sha256: file.sha256,
    tenant_id: job.tenantId,
  });
  return signNote(`${MANIFEST_FORMAT}\n${content}\n`, signer);
}
