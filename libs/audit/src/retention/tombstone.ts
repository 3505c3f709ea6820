import { type NoteSigner, type NoteVerifier, openNote, signNote } from '../notes/index.js';

/** The action of the event that stands for those that left the log. */
export const RETENTION = 'audit.retention';

/** That the events of a tenant's tree from its beginning on were written to an archive and left the log. */
export interface Tombstone {
  tenantId: string;
  /** Before this place. */
  to: number;
  /** Of the tree of so many leaves. */
  root: Buffer;
  /** SHA-256 of the archive's lines before the last one, in hexadecimal digits. */
  archive: string;
}

const TEXT =
  /^([^\n]+)\naudit tombstone\ntenant ([0-9a-f-]{36})\nleaves ([1-9]\d{0,15})\nroot ([A-Za-z0-9+/]{43}=)\narchive ([0-9a-f]{64})\n$/;

/** A signed note (C2SP): nobody without the key of the log can make one. */
export function signTombstone({ tenantId, to, root, archive }: Tombstone, signer: NoteSigner): string {
  const lines = [
    signer.name,
    'audit tombstone',
    `tenant ${tenantId}`,
    `leaves ${to}`,
    `root ${root.toString('base64')}`,
    `archive ${archive}`,
  ];
  return signNote(`${lines.join('\n')}\n`, signer);
}

/** @returns undefined when it is none, or none of these keys signed it */
export function openTombstone(note: unknown, verifiers: readonly NoteVerifier[]): Tombstone | undefined {
  try {
    const [, , tenantId, to, root, archive] = TEXT.exec(openNote(String(note), verifiers)) ?? [];
    if (!tenantId || !to || !root || !archive) return undefined;
    return { tenantId, to: Number(to), root: Buffer.from(root, 'base64'), archive };
  } catch {
    return undefined;
  }
}
