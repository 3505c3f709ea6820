import { piecesOf } from '../../rag/index.js';
import { toAnswerBody, toCitationBody, toSearchResultBody } from './answer.dto.js';
import { INTERNAL_ERROR, type Turn } from './turn.js';

export interface TurnEvent {
  /** How far the turn has been told once this event was read: grows from event to event. */
  id: number;
  event: 'search_results' | 'message' | 'citation' | 'final_answer' | 'usage' | 'error' | 'done';
  data: object;
}

/** A turn whose events after a position can be read, those that are still to come included. */
export interface FollowedTurn {
  readonly turn: Turn;
  follow(position: number, signal: AbortSignal): AsyncIterable<TurnEvent>;
}

export class EndedTurn implements FollowedTurn {
  constructor(readonly turn: Turn) {}

  async *follow(position: number): AsyncGenerator<TurnEvent> {
    yield* eventsAfter(position, this.turn);
  }
}

/**
 * What a reader who has been told the turn up to `position` has still to be told, as far as the turn has got.
 *
 * A position counts one for each character of the answer and one for every other event. It does not depend on how
 * the text was cut into deltas, so a stream can be resumed anywhere, from the turn under way as from the saved one, and
 * no event has to be kept.
 */
export function eventsAfter(position: number, turn: Turn): TurnEvent[] {
  const events: TurnEvent[] = [];
  let at = 0;
  const tell = (event: TurnEvent['event'], data: object) => {
    if (++at > position) events.push({ id: at, event, data });
  };
  const tellText = (text: string) => {
    const known = Math.min(Math.max(position - at, 0), text.length);
    at += text.length;
    if (known < text.length) events.push({ id: at, event: 'message', data: { delta: text.slice(known) } });
  };

  tell('search_results', { turn_id: turn.id, results: turn.results.map(toSearchResultBody) });
  for (const piece of piecesOf(turn)) {
    if (piece.type === 'text') tellText(piece.text);
    else tell('citation', toCitationBody(piece.citation));
  }
  tellEnd(turn, tell);
  return events;
}

/** Exactly one `done` or `error` ends a turn. */
function tellEnd(turn: Turn, tell: (event: TurnEvent['event'], data: object) => void): void {
  const { id: turn_id, status, answer, isSaved } = turn;
  if (answer) {
    tell('final_answer', toAnswerBody(turn_id, answer, isSaved));
    // Without a model nothing is used; of a model it may be unknown.
    const unsaid = answer.servedBy.includes(':') ? null : 0;
    tell('usage', {
      served_by: answer.servedBy,
      input_tokens: answer.usage?.inputTokens ?? unsaid,
      output_tokens: answer.usage?.outputTokens ?? unsaid,
    });
  }
  if (status === 'answered' || status === 'cancelled') tell('done', { turn_id, status });
  if (status === 'failed')
    tell('error', {
      turn_id,
      code: turn.errorCode,
      retryable: turn.errorCode !== INTERNAL_ERROR,
      partial: turn.text !== '',
    });
}
