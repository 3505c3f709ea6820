import { counter, histogram } from '#libs/observability';

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
  help: 'How claimed jobs ended: done, failed, deferred, released, lost or abandoned',
  labelNames: ['outcome'],
});
export const jobWaitSeconds = histogram({
  name: 'navigator_ingestion_wait_seconds',
  help: 'How long jobs waited from when they could have run until a worker took them',
});
