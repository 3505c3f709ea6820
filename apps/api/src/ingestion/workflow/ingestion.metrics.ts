import { counter, histogram } from '#libs/observability';
import type { StageName } from './ingestion-stages.js';

export const stageSeconds = histogram({
  name: 'navigator_ingestion_stage_seconds',
  help: 'How long one attempt at a stage took',
  labelNames: ['stage', 'outcome'],
});
export const stageAttempts = counter({
  name: 'navigator_ingestion_stage_attempts_total',
  help: 'Attempts at stages',
  labelNames: ['stage'],
});
export const jobOutcomes = counter({
  name: 'navigator_ingestion_jobs_total',
  help: 'How claimed jobs ended: done, failed, deferred, released, review, lost, stuck or abandoned',
  labelNames: ['outcome'],
});
export const jobWaitSeconds = histogram({
  name: 'navigator_ingestion_wait_seconds',
  help: 'How long jobs waited from when they could have run until a worker took them',
});
export const checkpointSeconds = histogram({
  name: 'navigator_ingestion_checkpoint_seconds',
  help: 'How long a checkpoint took to write with all that it makes visible, or to load',
  labelNames: ['stage', 'operation'],
});
export const gateChecks = counter({
  name: 'navigator_ingestion_gate_checks_total',
  help: 'Checks of quality gates by what they came to: pass, warn, needs_review or failed',
  labelNames: ['stage', 'check', 'outcome'],
});
const stageBytes = counter({
  name: 'navigator_ingestion_stage_bytes_total',
  help: 'Size of the files of which a stage was done',
  labelNames: ['stage'],
});
const stageItems = counter({
  name: 'navigator_ingestion_stage_items_total',
  help: 'What stages worked on: pages, parts and passages',
  labelNames: ['stage', 'unit'],
});

/** Once a stage's work is done: how much it was. `detail` is what the stage tells of itself. */
export function countWork(
  stage: StageName,
  { sizeBytes }: { sizeBytes: number },
  detail: Record<string, unknown> = {},
): void {
  stageBytes.inc({ stage }, sizeBytes);
  for (const unit of ['pages', 'parts', 'passages'])
    if (typeof detail[unit] === 'number') stageItems.inc({ stage, unit }, detail[unit]);
}
