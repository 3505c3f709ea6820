import { DomainError } from '#libs/errors';
import { type ServiceLevel, worstLevel } from '#libs/resilience';
import type { Answer, AnswerEvent, Citation, SearchResult } from '../../rag/index.js';

/**
 * A turn is one question and its answer, as far as that got. Only an `answered` one is complete; what a `cancelled`
 * or `failed` one has is a beginning.
 */
export type TurnStatus = 'answering' | 'answered' | 'cancelled' | 'failed';

/** `unsaved`: the database could not take it, and its reader is told the answer all the same. */
export type SaveOutcome = 'saved' | 'unsaved' | 'ended-elsewhere';

/** Which documents were asked. */
export interface Selection {
  documentIds?: string[];
  collection?: string;
  tags?: string[];
}

export interface Turn {
  id: string;
  conversationId: string;
  question: string;
  selection: Selection;
  status: TurnStatus;
  results: SearchResult[];
  /** Of the answer, while it is written and afterwards. */
  text: string;
  citations: Citation[];
  /** Once it is complete. */
  answer: Answer | null;
  /** Why it failed. */
  errorCode: string | null;
  /** False when the database could not take it, so that it is not in the conversation. */
  isSaved: boolean;
  createdAt: Date;
}

/** Takes the next event of its answer into a turn. */
export function advance(turn: Turn, event: AnswerEvent): void {
  switch (event.type) {
    case 'search-results':
      turn.results = event.results;
      break;
    case 'text':
      turn.text += event.text;
      break;
    case 'citation':
      turn.citations.push(event.citation);
      break;
    case 'answer':
      turn.answer = event.answer;
  }
}

/** An answer that the conversation does not have is not all that was promised. */
export const levelOf = ({ serviceLevel }: Answer, isSaved: boolean): ServiceLevel =>
  isSaved ? serviceLevel : worstLevel(serviceLevel, 'degraded');

export const INTERNAL_ERROR = 'internal-error';

/** How a turn ends whose answer broke off. */
export function endOf(error: unknown, signal: AbortSignal): Pick<Turn, 'status' | 'errorCode'> {
  if (signal.aborted) return { status: 'cancelled', errorCode: null };
  return { status: 'failed', errorCode: error instanceof DomainError ? error.code : INTERNAL_ERROR };
}
