import type { Gate } from './gate.js';
import { decidingCheck } from './evaluate-gate.js';

/** What a person is told when a gate let nothing through. They know their file, not our checks. */
const SENTENCES: Record<string, string> = {
  'no-text': 'No text was found in the document.',
  'low-ocr-confidence': 'The text was recognised in pictures, and much of it is uncertain.',
  'low-transcript-confidence': 'Much of what is said in the recording could not be heard with certainty.',
  'garbled-text': 'Much of the text consists of characters that cannot be read.',
  'pages-unreadable': 'Many pages of the document cannot be opened.',
  'pages-without-text': 'No text was found on most pages of the document.',
  'tables-without-headers':
    'Most cells of its tables have no column header, so their numbers may be misread.',
  'passages-refused': 'The embedding model refuses most of the text of the document.',
  'vectors-alike': 'The embedding model does not tell the parts of the document apart.',
  'vectors-not-finite': 'The embedding model answered with numbers that cannot be used.',
};

/** Why a document that its gate stopped is stopped; undefined when the gate let it through. */
export function reasonOfGate(gate: Gate): { code: string; message: string } | undefined {
  const check = decidingCheck(gate);
  if (!check) return undefined;
  const what = SENTENCES[check.code] ?? 'The document could not be read well.';
  const ask = check.outcome === 'needs_review' ? ' Please decide whether it is to be used.' : '';
  return { code: check.code, message: `${what}${ask}` };
}
