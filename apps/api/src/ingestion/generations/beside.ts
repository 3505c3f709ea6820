import type { Task } from '../workflow/stage-work.js';

/**
 * Whether questions go on finding another generation until this job's one takes its place. What a document is found by
 * changes only by its own job, or while that rests, so what was read as the job began still holds.
 */
export const standsBeside = ({ job, document: { liveGeneration } }: Task): boolean =>
  liveGeneration !== null && liveGeneration !== job.generation;
