import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { type Passage, timeBody, toTimeBody } from '../../rag/index.js';
import { INGESTION_STAGES, STAGE_NAMES } from '../workflow/ingestion-stages.js';
import { GATE_OUTCOMES } from '../workflow/gates/index.js';
import { type Document, DOCUMENT_STATUSES, type StageState, VISIBILITIES } from './document.js';
import { PRIORITIES } from '../jobs/job.js';

const isoTime = z.iso.datetime();

export const ListDocuments = z.strictObject({
  ...cursorQuery,
  status: z.enum(DOCUMENT_STATUSES).optional(),
  collection: z.string().trim().min(1).max(100).optional(),
  tag: z.string().trim().min(1).max(50).optional(),
  parent_id: z.uuid().optional().describe('What is attached to this document.'),
  q: z.string().trim().min(1).max(200).optional().describe('Part of the title, in any case.'),
});
export type ListDocuments = z.infer<typeof ListDocuments>;

export const ListPassages = z.strictObject(cursorQuery);
export type ListPassages = z.infer<typeof ListPassages>;

export const GateBody = z.object({
  outcome: z.enum(GATE_OUTCOMES).describe('The worst of its checks.'),
  checks: z.array(
    z.object({
      code: z.string(),
      score: z.number().nullable(),
      threshold: z.number().nullable().describe('That was crossed, or the nearest.'),
      outcome: z.enum(GATE_OUTCOMES),
    }),
  ),
  decision: z.enum(['approve', 'reject']).optional().describe('What a person said to it.'),
});

export const StageBody = z.object({
  name: z.enum(STAGE_NAMES),
  status: z
    .enum(['pending', 'running', 'review', 'done', 'failed'])
    .describe('review: it waits for a person, before questions can find what it made.'),
  started_at: isoTime.nullable().describe('Of the last attempt.'),
  finished_at: isoTime.nullable(),
  duration_ms: z.number().int().nullable(),
  attempts: z.number().int().describe('Since the stage last got on.'),
  detail: z.record(z.string(), z.unknown()).nullable(),
  gate: GateBody.nullable().describe('How well it came out.'),
});
export type StageBody = z.infer<typeof StageBody>;

export const AssessmentBody = z.object({
  pages: z.number().int().nullable(),
  pages_without_text: z.array(z.number().int()),
  passages: z.number().int(),
  words: z.number().int(),
  language: z.string().nullable().describe('ISO 639-1; null when there is too little text to say.'),
  garbled_ratio: z.number().describe('Share of characters that no writing system uses, 0 to 1.'),
  warnings: z.array(z.string()),
  needs_password: z
    .boolean()
    .describe(
      'The file opens with its password only, which is not kept: who has it read anew gives it again.',
    ),
  passages_without_vector: z
    .array(z.uuid())
    .describe('Passages that the embedding model refused; they are found by their words only.'),
});

export const DocumentBody = z.object({
  id: z.uuid(),
  title: z.string(),
  filename: z.string(),
  media_type: z.string(),
  size_bytes: z.number().int(),
  sha256: z.string(),
  visibility: z
    .enum(VISIBILITIES)
    .describe('Who may see it besides its owner; collection: whoever its collection is shared with.'),
  owner_id: z.uuid(),
  parent_id: z
    .uuid()
    .nullable()
    .describe('The mail or file that it came attached to; null for what was uploaded.'),
  collection: z.string().nullable(),
  tags: z.array(z.string()),
  status: z.enum(DOCUMENT_STATUSES),
  answerable: z
    .enum(['none', 'lexical', 'semantic'])
    .describe('How questions find it: not at all yet, by its words, or by its meaning too.'),
  generation: z
    .number()
    .int()
    .nullable()
    .describe('What questions find now; another number once the document was made anew.'),
  embedding_model: z.string().nullable().describe('That its meaning is found by.'),
  rollback_until: isoTime
    .nullable()
    .describe('Until when it can be switched back to what it was before; null when there is nothing.'),
  percent: z.number().int().describe('Of the processing, 0 to 100.'),
  priority: z.enum(PRIORITIES).describe('Among the documents of the tenant that wait.'),
  expected_at: isoTime
    .nullable()
    .describe('When it will probably be ready; null when nobody can tell, and when it is at rest.'),
  reason: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe('Why it failed, was cancelled or needs a review.'),
  pages: z.number().int().nullable(),
  passages: z.number().int().nullable(),
  assessment: AssessmentBody.nullable(),
  stages: z.array(StageBody),
  created_at: isoTime,
  updated_at: isoTime,
});
export type DocumentBody = z.infer<typeof DocumentBody>;
export const DocumentPage = pageOf(DocumentBody);

export const PassageBody = z.object({
  id: z.uuid(),
  document_id: z.uuid(),
  ordinal: z.number().int(),
  kind: z.enum(['prose', 'table-row']),
  text: z.string(),
  heading_path: z.array(z.string()),
  page: z.number().int().nullable(),
  box: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).nullable(),
  ...timeBody,
});
export type PassageBody = z.infer<typeof PassageBody>;
export const PassagePage = pageOf(PassageBody);

/** A document and how far its stages are. */
export interface DocumentView {
  document: Document;
  stages: readonly StageState[];
  expectedAt?: Date;
}

export function toDocumentBody({ document, stages, expectedAt }: DocumentView): DocumentBody {
  return {
    id: document.id,
    title: document.title,
    filename: document.filename,
    media_type: document.mediaType,
    size_bytes: document.sizeBytes,
    sha256: document.sha256.toString('hex'),
    visibility: document.visibility,
    owner_id: document.ownerId,
    parent_id: document.parentId,
    collection: document.collection,
    tags: document.tags,
    status: document.status,
    answerable: document.answerable,
    generation: document.liveGeneration,
    embedding_model: document.embeddingModel,
    rollback_until: document.rollbackUntil?.toISOString() ?? null,
    percent: percentOf(stages),
    priority: document.priority,
    expected_at: expectedAt?.toISOString() ?? null,
    reason: reasonOf(document),
    pages: document.pageCount,
    passages: document.passageCount,
    assessment: toAssessmentBody(document.assessment),
    stages: inOrder(stages).map(toStageBody),
    created_at: document.createdAt.toISOString(),
    updated_at: document.updatedAt.toISOString(),
  };
}

export function toPassageBody(passage: Passage): PassageBody {
  const { id, documentId, ordinal, kind, text, headingPath, page, box } = passage;
  const place = { heading_path: headingPath, page, box, ...toTimeBody(passage) };
  return { id, document_id: documentId, ordinal, kind, text, ...place };
}

/** Rounded down, so that 100 means done. */
export function percentOf(stages: readonly StageState[]): number {
  const progress = new Map(stages.map((stage) => [stage.name, stage.progress]));
  const share = INGESTION_STAGES.reduce(
    (sum, stage) => sum + stage.share * (progress.get(stage.name) ?? 0),
    0,
  );
  return Math.floor(share * 100 + 1e-9);
}

function toStageBody({ name, status, attempts, detail, gate, startedAt, finishedAt }: StageState): StageBody {
  return {
    name: name as StageBody['name'],
    status,
    started_at: startedAt?.toISOString() ?? null,
    finished_at: finishedAt?.toISOString() ?? null,
    duration_ms: startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
    attempts,
    detail,
    gate,
  };
}

function toAssessmentBody(assessment: Document['assessment']): DocumentBody['assessment'] {
  if (!assessment) return null;
  const { pages, pagesWithoutText, passages, words, language, garbledRatio, warnings } = assessment;
  const { passagesWithoutVector = [], needsPassword = false } = assessment;
  return {
    pages,
    pages_without_text: pagesWithoutText,
    passages,
    words,
    language,
    garbled_ratio: garbledRatio,
    warnings,
    needs_password: needsPassword,
    passages_without_vector: passagesWithoutVector,
  };
}

function reasonOf({ reasonCode, reasonDetail }: Document): DocumentBody['reason'] {
  return reasonCode === null ? null : { code: reasonCode, message: reasonDetail ?? '' };
}

function inOrder(stages: readonly StageState[]): StageState[] {
  const position = (stage: StageState) => (STAGE_NAMES as readonly string[]).indexOf(stage.name);
  return stages.toSorted((a, b) => position(a) - position(b));
}
