import { type StageName, withDependents } from '../workflow/ingestion-stages.js';
import type { Document } from './document.js';

export interface Redo {
  stages: ReadonlySet<StageName>;
  /** What questions find now stays until the new one is there. */
  newGeneration: boolean;
}

/**
 * What must be done again when the stages `from` and all after them are. Sometimes that is more: the vectors of a live generation are
 * not replaced but made anew with new passages, and the results that led to the passages are gone once a document is
 * ready.
 */
export function planRedo(
  from: readonly StageName[],
  {
    status,
    liveGeneration,
    semanticGeneration,
  }: Pick<Document, 'status' | 'liveGeneration' | 'semanticGeneration'>,
  generation: number,
): Redo {
  let stages = withDependents(...from);
  if (stages.has('embed') && semanticGeneration === generation) stages = withDependents(...from, 'structure');
  const needsParts = stages.has('structure') || stages.has('assess');
  if (needsParts && status === 'ready') stages = withDependents(...from, 'extract');
  return { stages, newGeneration: stages.has('structure') && liveGeneration === generation };
}
