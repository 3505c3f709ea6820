import { z } from 'zod';
import type { ExportJob } from '#libs/exports';
import { cursorQuery, pageOf } from '#libs/http';
import { password } from '../erasure/erasure.dto.js';
import type { CopyOf } from './privacy-exports.js';
import { PERSON } from './privacy.kinds.js';

export const RequestCopy = z.strictObject({
  of: z
    .enum(['me', 'user', 'tenant'])
    .default('me')
    .describe('A copy of your own data, or as an administrator of somebody’s, or of all of the tenant.'),
  user_id: z.uuid().toLowerCase().optional().describe('Of whom, with `user`.'),
  password,
});
export type RequestCopy = z.infer<typeof RequestCopy>;

/** undefined: nobody is named. */
export function copyOf({ of, user_id: userId }: RequestCopy, ownId: string): CopyOf | undefined {
  if (of === 'tenant') return 'tenant';
  if (of === 'me') return { userId: ownId };
  return userId === undefined ? undefined : { userId };
}

export const ListCopies = z.strictObject(cursorQuery);
export type ListCopies = z.infer<typeof ListCopies>;
export const CopyCursor = z.tuple([z.uuid()]);

export const CopyItem = z.object({
  id: z.uuid(),
  of: z.enum(['user', 'tenant']),
  user_id: z.uuid().nullable(),
  requested_by: z.uuid(),
  state: z.enum(['queued', 'running', 'ready', 'failed', 'expired', 'cancelled']),
  rows: z.int(),
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  manifest: z
    .string()
    .nullable()
    .describe('What is in the file, signed with the key of the audit log (a C2SP signed note).'),
  reason: z.string().nullable(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  expires_at: z.iso.datetime().nullable(),
});
export type CopyItem = z.infer<typeof CopyItem>;
export const CopyPage = pageOf(CopyItem);
export type CopyPage = z.infer<typeof CopyPage>;

export function toCopyItem(job: ExportJob): CopyItem {
  const { id, kind, parameters, requestedBy, state, rows, bytes, sha256, manifest, reason } = job;
  return {
    id,
    of: kind === PERSON ? 'user' : 'tenant',
    user_id: kind === PERSON ? String(parameters.user_id) : null,
    requested_by: requestedBy,
    state,
    rows,
    bytes,
    sha256,
    manifest,
    reason,
    created_at: job.createdAt.toISOString(),
    finished_at: job.finishedAt?.toISOString() ?? null,
    expires_at: job.expiresAt?.toISOString() ?? null,
  };
}
