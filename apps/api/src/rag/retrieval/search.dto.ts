import { z } from 'zod';
import type { Box } from '../passages/passage.js';
import { timeBody, toTimeBody } from '../passages/time.js';
import { SEMANTIC_FAILURES } from './model-search.js';
import type { Retrieval } from './retriever.js';

export const Search = z.strictObject({
  query: z.string().trim().min(1).max(4_000),
  document_ids: z.array(z.uuid()).min(1).max(100).optional(),
  collection: z.string().trim().min(1).max(100).optional(),
  tags: z.array(z.string().trim().min(1).max(50)).min(1).max(20).optional().describe('All of them.'),
  limit: z.number().int().min(1).max(100).default(10),
});
export type Search = z.infer<typeof Search>;

const score = z.number().min(0).max(1);

export const SearchHit = z.object({
  passage_id: z.uuid(),
  document_id: z.uuid(),
  document_title: z.string(),
  kind: z.enum(['prose', 'table-row']),
  text: z.string(),
  heading_path: z.array(z.string()).describe('Titles of the sections that it stands in, outermost first.'),
  page: z.number().int().nullable(),
  box: z
    .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
    .nullable()
    .describe('As shares of the page, from its top left corner.'),
  ...timeBody,
  score: score.describe('How well it fits, compared with the best there could be in this search.'),
  lexical_score: score.describe('The part of its words, compared with the best hit.'),
  semantic_score: z.number().nullable().describe('Likeness of meaning; null until the document is embedded.'),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchBody = z.object({
  hits: z.array(SearchHit).describe('The best first.'),
  mode: z.enum(['hybrid', 'lexical']).describe('`lexical` when only words could be compared.'),
  reason: z
    .enum(SEMANTIC_FAILURES)
    .nullable()
    .describe(
      'Why it is `lexical`; one that begins with previous: documents that are not embedded anew yet were found by ' +
        'their words only.',
    ),
  took_ms: z.number().int(),
});
export type SearchBody = z.infer<typeof SearchBody>;

export function toSearchBody({ hits, mode, reason, timings }: Retrieval): SearchBody {
  return {
    hits: hits.map((hit) => ({
      passage_id: hit.id,
      document_id: hit.documentId,
      document_title: hit.documentTitle,
      kind: hit.kind,
      text: hit.text,
      heading_path: hit.headingPath,
      page: hit.page,
      box: hit.box satisfies Box | null,
      ...toTimeBody(hit),
      score: rounded(hit.score),
      lexical_score: rounded(hit.lexicalScore),
      semantic_score: hit.semanticScore === null ? null : rounded(hit.semanticScore),
    })),
    mode,
    reason: reason ?? null,
    took_ms: Math.round(timings.totalMs),
  };
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
