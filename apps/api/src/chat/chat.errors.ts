import { DomainError } from '#libs/errors';

/** Also for a conversation of somebody else, which does not exist as far as this reader may know. */
export class ConversationNotFound extends DomainError {
  readonly code = 'conversation-not-found';
  readonly kind = 'not-found' as const;
  constructor(conversationId: string) {
    super('There is no such conversation', { extra: { conversation_id: conversationId } });
  }
}

export class TurnNotFound extends DomainError {
  readonly code = 'turn-not-found';
  readonly kind = 'not-found' as const;
  constructor(turnId: string) {
    super('The conversation has no such question', { extra: { turn_id: turnId } });
  }
}

/** Why a turn ends when somebody asked for that, or nobody reads it any more. */
export class AnswerCancelled extends DomainError {
  readonly code = 'answer-cancelled';
  readonly kind = 'conflict' as const;
  constructor() {
    super('The answer was cancelled');
  }
}

/** For a new question while the process ends; what is under way is finished. Another process takes it. */
export class ShuttingDown extends DomainError {
  readonly code = 'shutting-down';
  readonly kind = 'unavailable' as const;
  constructor() {
    super('This server is shutting down', { retryAfterMs: 1_000 });
  }
}

export class NotAcceptable extends DomainError {
  readonly code = 'not-acceptable';
  readonly kind = 'not-acceptable' as const;
  constructor() {
    super('An answer comes as application/json or as text/event-stream');
  }
}
