import { histogram } from '#libs/observability';

const MEGABYTE = 1_048_576;

export const childPeakBytes = histogram({
  name: 'navigator_ingestion_child_peak_bytes',
  help: 'The most memory that a process which reads files was seen to take for one piece of work',
  labelNames: ['program'],
  buckets: [64, 128, 192, 256, 384, 512, 768, 1_024, 2_048].map((megabytes) => megabytes * MEGABYTE),
});
