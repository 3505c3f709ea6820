import { z } from 'zod';
import { LEVELS } from '#libs/resilience';
import { type Answer, type Citation, type SearchResult, timeBody, toTimeBody } from '../../rag/index.js';
import { levelOf } from './turn.js';

const offset = z.number().int().describe('In UTF-16 code units.');

export const CitationBody = z.object({
  marker: z.number().int().describe('Stands in the answer as [1].'),
  document_id: z.uuid(),
  document_title: z.string(),
  passage_id: z.uuid(),
  page: z.number().int().nullable(),
  box: z
    .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
    .nullable()
    .describe('Shares of the page, from its top left corner.'),
  ...timeBody,
  quote: z.string().describe('Word for word what stands in the document.'),
  source_start: offset.describe('Where the quote begins in the text of the passage.'),
  source_end: offset,
  answer_start: offset.describe('Where the words that rest on the quote begin in the answer.'),
  answer_end: offset,
});
export type CitationBody = z.infer<typeof CitationBody>;

export const DegradationBody = z.object({
  capability: z.string().describe('What works less well than it should.'),
  level: z.enum(LEVELS),
  reason: z.string().describe('Short and stable, such as postgres: circuit-open.'),
  fallback: z.string().describe('What took its place.'),
  since: z.iso.datetime(),
});

export const AnswerBody = z.object({
  id: z.uuid().describe('Of the question and its answer.'),
  answer: z.string(),
  not_in_documents: z.boolean(),
  grounding: z.number().describe('0 to 1: how well the documents support the answer.'),
  citations: z.array(CitationBody),
  served_by: z.string().describe('provider:model, cache or extractive.'),
  service_level: z.enum(LEVELS),
  usage: z.object({ input_tokens: z.number().int(), output_tokens: z.number().int() }).nullable(),
  timings: z.object({ retrieve_ms: z.number(), generate_ms: z.number(), total_ms: z.number() }),
  pending_document_ids: z
    .array(z.uuid())
    .optional()
    .describe('Documents that were asked about and are still being processed, when there are any.'),
  stale: z.boolean().describe('An earlier answer, given again because nothing better could be had.'),
  as_of: z.iso.datetime().nullable().describe('When a stale answer was written.'),
  truncated: z.boolean().describe('The model was cut off at the length that an answer may have.'),
  saved: z.boolean().describe('False when the database could not take it: it is not in the conversation.'),
  meta: z.object({ degradation: z.array(DegradationBody) }),
});
export type AnswerBody = z.infer<typeof AnswerBody>;

export const SearchResultBody = z.object({
  passage_id: z.uuid(),
  document_id: z.uuid(),
  document_title: z.string(),
  heading_path: z.array(z.string()),
  page: z.number().int().nullable(),
  ...timeBody,
});
export type SearchResultBody = z.infer<typeof SearchResultBody>;

export function toAnswerBody(id: string, answer: Answer, isSaved: boolean): AnswerBody {
  const { usage, timings, pendingDocumentIds, asOf } = answer;
  return {
    id,
    answer: answer.text,
    not_in_documents: answer.notInDocuments,
    grounding: answer.grounding,
    citations: answer.citations.map(toCitationBody),
    served_by: answer.servedBy,
    service_level: levelOf(answer, isSaved),
    usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
    timings: {
      retrieve_ms: timings.retrieveMs,
      generate_ms: timings.generateMs,
      total_ms: timings.totalMs,
    },
    ...(pendingDocumentIds.length > 0 ? { pending_document_ids: pendingDocumentIds } : {}),
    stale: asOf !== undefined,
    as_of: asOf ?? null,
    truncated: answer.isTruncated ?? false,
    saved: isSaved,
    // Answers that were saved by an earlier release do not have them.
    meta: { degradation: answer.degradations ?? [] },
  };
}

export function toCitationBody(citation: Citation): CitationBody {
  return {
    marker: citation.marker,
    document_id: citation.documentId,
    document_title: citation.documentTitle,
    passage_id: citation.passageId,
    page: citation.page,
    box: citation.box,
    ...toTimeBody(citation),
    quote: citation.quote,
    source_start: citation.sourceStart,
    source_end: citation.sourceEnd,
    answer_start: citation.answerStart,
    answer_end: citation.answerEnd,
  };
}

export function toSearchResultBody(result: SearchResult): SearchResultBody {
  return {
    passage_id: result.passageId,
    document_id: result.documentId,
    document_title: result.documentTitle,
    heading_path: result.headingPath,
    page: result.page,
    ...toTimeBody(result),
  };
}
