import { z } from 'zod';
import { AnswerBody, CitationBody, toAnswerBody, toCitationBody } from './answer.dto.js';
import type { Turn } from './turn.js';

export const AskQuestion = z.strictObject({
  question: z.string().trim().min(1).max(4_000),
  document_ids: z.array(z.uuid()).min(1).max(50).optional().describe('Ask only these documents.'),
  collection: z.string().trim().min(1).max(100).optional().describe('Ask only this collection.'),
  tags: z
    .array(z.string().trim().min(1).max(50))
    .min(1)
    .max(20)
    .optional()
    .describe('Ask only documents with all of these tags.'),
});
export type AskQuestion = z.infer<typeof AskQuestion>;

const STATUSES = ['answering', 'answered', 'cancelled', 'failed'] as const;

export const TurnStatusBody = z.object({ id: z.uuid(), status: z.enum(STATUSES) });
export type TurnStatusBody = z.infer<typeof TurnStatusBody>;

export const MessageBody = z.object({
  id: z.uuid(),
  question: z.string(),
  document_ids: z.array(z.uuid()).nullable(),
  collection: z.string().nullable(),
  tags: z.array(z.string()).nullable(),
  status: z.enum(STATUSES),
  answer: AnswerBody.nullable().describe('Of a question that is answered.'),
  partial: z
    .object({ answer: z.string(), citations: z.array(CitationBody) })
    .nullable()
    .describe('The beginning of an answer that was cancelled or failed.'),
  error_code: z.string().nullable(),
  created_at: z.iso.datetime(),
});
export type MessageBody = z.infer<typeof MessageBody>;

export function toMessageBody(turn: Turn): MessageBody {
  const { documentIds, collection, tags } = turn.selection;
  return {
    id: turn.id,
    question: turn.question,
    document_ids: documentIds ?? null,
    collection: collection ?? null,
    tags: tags ?? null,
    status: turn.status,
    answer: turn.answer && toAnswerBody(turn.id, turn.answer, turn.isSaved),
    partial:
      turn.answer || turn.text === ''
        ? null
        : { answer: turn.text, citations: turn.citations.map(toCitationBody) },
    error_code: turn.errorCode,
    created_at: turn.createdAt.toISOString(),
  };
}
