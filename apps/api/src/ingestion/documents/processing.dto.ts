import { z } from 'zod';
import { PRIORITIES } from '../jobs/job.js';
import { DocumentPassword } from '../uploads/upload.dto.js';
import { STAGE_NAMES } from '../workflow/ingestion-stages.js';

export const RetryDocument = z
  .strictObject({
    from_stage: z
      .enum(STAGE_NAMES)
      .optional()
      .describe('It and all stages after it are done again. Unless given, it goes on where it ended.'),
    password: DocumentPassword.optional().describe('Opens a protected file; in place of one given before.'),
  })
  .nullish();
export type RetryDocument = z.infer<typeof RetryDocument>;

export const ReviewDocument = z.strictObject({
  decision: z
    .enum(['approve', 'reject'])
    .describe('approve: processing goes on, and this is not asked again. reject: the document fails.'),
  reason: z.string().trim().min(1).max(500).optional().describe('Shown with a document that was rejected.'),
});
export type ReviewDocument = z.infer<typeof ReviewDocument>;

export const PrioritizeDocument = z.strictObject({
  priority: z
    .enum(PRIORITIES)
    .describe(
      'Among the documents of the tenant: half an hour earlier or later in the queue, so none starves.',
    ),
});
export type PrioritizeDocument = z.infer<typeof PrioritizeDocument>;
