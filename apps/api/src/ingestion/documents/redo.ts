import { type StageName, withDependents } from '../workflow/ingestion-stages.js';
import type { Document } from './document.js';

/** What is there of a document before some of it is done again. */
export interface RedoState extends Pick<Document, 'liveGeneration' | 'semanticGeneration'> {
  /** That its job makes, or has made. */
  generation: number;
  /** What became of that one where questions do not find it: it is `made` beside what they find, or was found before. */
  hidden?: 'made' | 'has-passages' | 'kept';
  /** What was read of the file is still there. */
  hasParts: boolean;
}

export interface Redo {
  stages: ReadonlySet<StageName>;
  /** What questions find now stays until the new one is there. */
  newGeneration: boolean;
  /** The generation whose passages the new one takes over as they are. */
  copyOf?: number;
}

/**
 * What must be done again when the stages `from` and all after them are. Sometimes that is more: the results that led to
 * the passages are gone once a document is ready. A generation that questions find, or may find again, is never changed:
 * new vectors for it come with a copy of its passages.
 */
export function planRedo(from: readonly StageName[], state: RedoState): Redo {
  const { generation, liveGeneration, semanticGeneration, hidden, hasParts } = state;
  const isUntouchable = liveGeneration === generation || hidden === 'kept';
  let stages = withDependents(...from);
  if (liveGeneration !== null && stages.has('embed') && !stages.has('structure')) {
    const isOpen = liveGeneration === generation ? semanticGeneration === null : hidden === 'has-passages';
    if (!isOpen && !stages.has('assess'))
      return { stages: withDependents('structure'), newGeneration: isUntouchable, copyOf: liveGeneration };
    if (!isOpen) stages = withDependents(...from, 'structure');
  }
  const needsParts = stages.has('structure') || stages.has('assess');
  if (needsParts && !hasParts) stages = withDependents(...from, 'extract');
  return { stages, newGeneration: stages.has('structure') && isUntouchable };
}
