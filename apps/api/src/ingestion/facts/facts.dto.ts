import { z } from 'zod';
import { timeBody, toTimeBody } from '../../rag/index.js';
import {
  DOCUMENT_KINDS,
  type Fact,
  FACT_KEYS,
  type FactSource,
  FOUND_BY,
  type ModelReading,
  READING_OUTCOMES,
} from './fact.js';
import type { SourcePlace, StoredInsight } from './insight.store.js';

/** As many as fit beside each other on a screen. */
const MOST_COMPARED = 6;

const SourceBody = z.object({
  passage_id: z.uuid(),
  page: z.number().int().nullable(),
  start: z.number().int().describe('In the text of the passage, in UTF-16 code units.'),
  end: z.number().int(),
  ...timeBody,
});

export const FactBody = z.object({
  key: z.enum(FACT_KEYS),
  service: z.string().nullable().describe('Our name for what the cost is for, such as primary_care_visit.'),
  label: z.string().nullable().describe('What the document calls it.'),
  network: z.enum(['in', 'out']).nullable(),
  person: z.enum(['individual', 'family']).nullable(),
  value: z.string().describe('Word for word as it stands in the document.'),
  amount: z.object({ amount: z.number(), unit: z.enum(['USD', 'percent']) }).nullable(),
  from: z.iso.date().nullable(),
  to: z.iso.date().nullable(),
  confidence: z.number().describe('0 to 1.'),
  found_by: z
    .enum(FOUND_BY)
    .describe(
      'Whether rules found it, a chat model, or both alike. The value stands in the document in any case.',
    ),
  source: SourceBody,
});
export type FactBody = z.infer<typeof FactBody>;

export const FactsBody = z.object({
  document_id: z.uuid(),
  title: z.string(),
  kind: z.enum(DOCUMENT_KINDS),
  kind_confidence: z.number(),
  language: z.string().nullable().describe('ISO 639-1.'),
  summary: z.array(z.object({ text: z.string(), source: SourceBody })),
  facts: z.array(FactBody),
  found_by: z.string().describe('"rules", or the name of the chat model that found some beside them.'),
  service_level: z
    .enum(['full', 'degraded'])
    .describe('degraded: a model was to look for facts, too, and could not; model_reading says why.'),
  model_reading: z.object({
    outcome: z
      .enum(READING_OUTCOMES)
      .describe(
        'off: no model is asked here. nothing-to-read: nothing in the document tells of a plan, so none was asked. ' +
          'answered, cached: it found facts now, or before in the same passages. Anything else is why there are none of it.',
      ),
    dropped: z
      .number()
      .int()
      .describe('Facts of the model that were left out, as they do not stand in the document.'),
  }),
  created_at: z.iso.datetime(),
});
export type FactsBody = z.infer<typeof FactsBody>;

export const CompareFacts = z.strictObject({
  document_ids: z
    .array(z.uuid())
    .min(2)
    .max(MOST_COMPARED)
    .refine((ids) => new Set(ids).size === ids.length, 'A document is named twice'),
});
export type CompareFacts = z.infer<typeof CompareFacts>;

export const ComparisonBody = z.object({
  documents: z.array(
    z.object({
      document_id: z.uuid(),
      title: z.string(),
      kind: z.enum(DOCUMENT_KINDS),
      plan_name: z.string().nullable(),
    }),
  ),
  rows: z.array(
    z.object({
      key: z.enum(FACT_KEYS),
      service: z.string().nullable(),
      network: z.enum(['in', 'out']).nullable(),
      person: z.enum(['individual', 'family']).nullable(),
      differs: z.boolean().describe('Whether the documents that say it do not all say the same.'),
      values: z
        .array(FactBody.nullable())
        .describe('One for each document, in their order; null where it says nothing.'),
    }),
  ),
});
export type ComparisonBody = z.infer<typeof ComparisonBody>;

export type Places = ReadonlyMap<string, SourcePlace>;

export function toFactsBody(
  insight: StoredInsight,
  document: { title: string; language: string | null },
  places: Places,
): FactsBody {
  return {
    document_id: insight.documentId,
    title: document.title,
    kind: insight.kind,
    kind_confidence: insight.kindConfidence,
    language: document.language,
    summary: insight.summary.map(({ text, source }) => ({ text, source: toSourceBody(source, places) })),
    facts: insight.facts.map((fact) => toFactBody(fact, places)),
    found_by: insight.foundBy,
    service_level: levelOf(insight.reading),
    model_reading: insight.reading,
    created_at: insight.createdAt.toISOString(),
  };
}

export function toFactBody({ source, foundBy = 'rules', ...fact }: Fact, places: Places): FactBody {
  return { ...fact, found_by: foundBy, source: toSourceBody(source, places) };
}

/** What was promised is what rules find, unless somebody wants a model to look, too. */
function levelOf({ outcome }: ModelReading): FactsBody['service_level'] {
  const isAsWanted = ['off', 'nothing-to-read', 'answered', 'cached'].includes(outcome);
  return isAsWanted ? 'full' : 'degraded';
}

function toSourceBody({ passageId, start, end }: FactSource, places: Places): z.infer<typeof SourceBody> {
  const place = places.get(passageId);
  return { passage_id: passageId, page: place?.page ?? null, start, end, ...toTimeBody(place ?? {}) };
}
