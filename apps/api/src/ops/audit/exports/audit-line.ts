import type { AuditLine } from '#libs/audit';

/** What the text of an event says; later versions may say more. */
export interface AuditBody {
  action: string;
  actor: { type: string; id: string | null; role: string | null; credential_id: string | null };
  category: string;
  context: object;
  detail: object;
  id: string;
  occurred_at: string;
  outcome: 'success' | 'denied' | 'failure';
  reason: string | null;
  request_id: string | null;
  route: string | null;
  targets: { type: string; id: string }[];
  tenant_id: string;
}

export function bodyOf({ body }: Pick<AuditLine, 'body'>): AuditBody {
  return JSON.parse(body) as AuditBody;
}

/**
 * The text that was hashed, as a string: an auditor hashes its UTF-8 bytes behind a zero byte (RFC 9162) and has the leaf of
 * the tree at that place.
 */
export function toNdjson({ id, leafIndex, body }: AuditLine): string {
  return `{"id":"${id}","leaf_index":${leafIndex},"body":${JSON.stringify(body)}}\n`;
}
