import type { AnswerBody } from '../../apps/api/src/chat/questions/answer.dto.js';

const QUOTE =
  'The plan pays $503 for an ambulance ride in class 4, after a deductible of $100. Prior authorization is required.';
const [DOCUMENT, PASSAGE] = ['018f2f6e-7d52-7c51-8d41-3f5a0c9f4a10', '018f2f6e-7d52-7c51-8d41-3f5a0c9f4b22'];

/** As long as answers from the answer cache are. */
export const ANSWER: AnswerBody = {
  id: '018f2f6e-7d52-7c51-8d41-3f5a0c9f4c33',
  answer: `${QUOTE} [1]`,
  not_in_documents: false,
  grounding: 1,
  citations: [
    {
      marker: 1,
      document_id: DOCUMENT,
      document_title: 'plan.md',
      passage_id: PASSAGE,
      page: null,
      box: null,
      start_ms: null,
      end_ms: null,
      time_label: null,
      quote: QUOTE,
      source_start: 120,
      source_end: 120 + QUOTE.length,
      answer_start: 0,
      answer_end: QUOTE.length,
    },
  ],
  served_by: 'cache',
  service_level: 'full',
  usage: null,
  timings: { retrieve_ms: 0, generate_ms: 0, total_ms: 1.2 },
  stale: false,
  as_of: null,
  truncated: false,
  saved: true,
  meta: { degradation: [] },
};
