/** What was done to a log, as far as it can be told; stable names that programs can switch on. */
export type FindingKind =
  /** The stored text of an event is not what was sealed. */
  | 'body-changed'
  /** Columns of an event say something else than its text. */
  | 'columns-changed'
  /** A place in the tree has no event any more. */
  | 'event-deleted'
  /** An event that says that others left the log by its retention, which is not signed or not of this tree. */
  | 'tombstone-forged'
  /** An event stands where sealing had passed already. */
  | 'event-inserted'
  /** Places of a tree are gone. */
  | 'leaf-deleted'
  /** The hash at a place is not that of the tile above it. */
  | 'leaf-changed'
  /** Stored hashes of the tree are missing or do not follow from the leaves. */
  | 'tile-changed'
  /** The stored end of the tree does not follow from the leaves. */
  | 'tree-changed'
  /** Between two heads of the log, something in the tenant's tree was changed together with all that follows from it. */
  | 'tree-rewritten'
  /** The tree is shorter than a head of the log says it was. */
  | 'tree-truncated'
  /** The head of a tree in the log is gone or was changed. */
  | 'head-changed'
  /** Between two signed checkpoints, heads were changed together with all that follows from them. */
  | 'log-rewritten'
  /** The log is shorter than a signed checkpoint says it was. */
  | 'log-rolled-back'
  /** A signed checkpoint is gone. */
  | 'checkpoint-deleted'
  /** A checkpoint that none of the known keys signed, or that says nothing. */
  | 'checkpoint-forged';

export interface Finding {
  kind: FindingKind;
  /** What about, for people. */
  detail: string;
  tenant_id?: string;
  /** The place in the tenant's tree, or in the log for what is of the log; the first of several. */
  leaf_index?: number;
  /** Where it is not one place: up to before this one. */
  before?: number;
  event_id?: string;
}

export interface Verdict {
  /** clean: everything fits. tampered: something was changed. incomplete: nothing was found, but not everything is proven. */
  status: 'clean' | 'tampered' | 'incomplete';
  findings: Finding[];
  /** What is not proven, for people. */
  incomplete: string[];
  counts: {
    events: number;
    retired: number;
    trees: number;
    heads: number;
    checkpoints: number;
    anchors: number;
  };
}

export const EXIT_CODES = { clean: 0, tampered: 1, incomplete: 2 } as const;
