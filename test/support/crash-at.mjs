/**
 * Loaded before the program (`node --import`) by the tests that kill it: the process dies by SIGKILL at the place that
 * CRASH_AT names. The program itself knows nothing of this.
 *
 * `<stage>:before` and `<stage>:after` its checkpoint, `embed:batch` inside the transaction of the second batch of
 * vectors, `upload:file` when the file is in its place and its row is not, `upload:commit` before the answer.
 */
import { JobStore } from '../../dist/apps/api/src/ingestion/jobs/job.store.js';
import { UploadService } from '../../dist/apps/api/src/ingestion/uploads/upload.service.js';
import { JobCheckpoints } from '../../dist/apps/api/src/ingestion/workflow/job-checkpoints.js';
import { StageStore } from '../../dist/apps/api/src/ingestion/workflow/stage.store.js';

const place = process.env.CRASH_AT;

/** The signal is on its way when `kill` returns; nothing more is done until it arrives. */
function crashAt(here) {
  if (here !== place) return undefined;
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

function around(type, method, { before = () => undefined, after = () => undefined }) {
  const original = type.prototype[method];
  type.prototype[method] = async function (...args) {
    await before(...args);
    const result = await original.apply(this, args);
    await after(...args);
    return result;
  };
}

let batches = 0;
around(JobCheckpoints, 'complete', {
  before: (stage) => crashAt(`${stage}:before`),
  after: (stage) => crashAt(`${stage}:after`),
});
around(StageStore, 'addProgress', {
  before: () => ((batches += 1) === 2 ? crashAt('embed:batch') : undefined),
});
around(JobStore, 'enqueue', { before: () => crashAt('upload:file') });
around(UploadService, 'accept', { after: () => crashAt('upload:commit') });
