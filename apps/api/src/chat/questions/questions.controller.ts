import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { DomainError } from '#libs/errors';
import {
  ClientSignal,
  MAX_DEADLINE_MS,
  MinServiceLevel,
  openEventStream,
  Priority,
  RateClass,
} from '#libs/http';
import type { ServiceLevel } from '#libs/resilience';
import { formatFor } from './accept.js';
import { AnswerBody, toAnswerBody } from './answer.dto.js';
import { AskQuestion, TurnStatusBody } from './question.dto.js';
import { type Question, QuestionsService } from './questions.service.js';
import { INTERNAL_ERROR } from './turn.js';
import type { TurnEvent } from './turn-events.js';

const Id = { schema: z.uuid() };

@ApiTags('conversations')
@Controller('v1/conversations/:id/questions')
@RequirePermission('question.ask')
@RateClass('read')
@Priority('critical')
export class QuestionsController {
  constructor(private readonly questions: QuestionsService) {}

  @Post()
  @HttpCode(200)
  @RateClass('question')
  @Audited('question.ask', 'data.read')
  @ApiOperation({
    summary: 'Ask a question; the answer is quoted from your documents',
    description:
      'With `Accept: text/event-stream` the answer comes while it is written: `search_results`, then `message` ' +
      '(pieces of the text) and `citation` as they come, then `final_answer`, `usage` and `done`, or `error`. Every ' +
      'event has an id to resume from; the turn is named in the first event and in `X-Turn-Id`.',
  })
  @ApiHeader({
    name: 'X-Min-Service-Level',
    required: false,
    description: 'Rather 503 `service-level-not-met` than an answer below this level.',
    schema: { type: 'string', enum: ['full', 'degraded', 'minimal'] },
  })
  @ApiHeader({
    name: 'X-Deadline-Ms',
    required: false,
    description: 'How long the answer may take; 504 afterwards.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_DEADLINE_MS },
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ standardSchema: AnswerBody })
  async ask(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) conversationId: string,
    @Body({ schema: AskQuestion }) body: AskQuestion,
    @Headers('accept') accept: string | undefined,
    @MinServiceLevel() atLeast: ServiceLevel | undefined,
    @ClientSignal() signal: AbortSignal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AnswerBody | undefined> {
    const format = formatFor(accept);
    const question = { ...toQuestion(conversationId, body), atLeast };
    if (format === 'json') {
      const { id, answer, isSaved } = await this.questions.ask(principal, question, signal);
      return toAnswerBody(id, answer!, isSaved);
    }
    const live = await this.questions.begin(principal, question, signal);
    void reply.header('x-turn-id', live.turn.id);
    await sendEvents(reply, live.follow(0, signal));
    return undefined;
  }

  @Get(':turn_id/events')
  @Unaudited('the rest of an answer that is recorded as question.ask')
  @ApiOperation({
    summary: 'The answer to a question from the event after `Last-Event-ID` on (server-sent events)',
    description: 'While it is written and afterwards, from the first event unless `Last-Event-ID` is given.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  async resume(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) conversationId: string,
    @Param('turn_id', Id) turnId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @ClientSignal() signal: AbortSignal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const turn = { conversationId, turnId };
    await sendEvents(reply, await this.questions.follow(principal, turn, positionIn(lastEventId), signal));
  }

  @Post(':turn_id/cancel')
  @HttpCode(200)
  @Audited('question.cancel')
  @RateClass('write')
  @ApiOperation({ summary: 'End the answer to a question with what there is; a finished one stays as it is' })
  @ApiOkResponse({ standardSchema: TurnStatusBody })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) conversationId: string,
    @Param('turn_id', Id) turnId: string,
  ): Promise<TurnStatusBody> {
    return { id: turnId, status: await this.questions.cancel(principal, conversationId, turnId) };
  }
}

async function sendEvents(reply: FastifyReply, events: AsyncIterable<TurnEvent>): Promise<void> {
  const stream = openEventStream(reply);
  try {
    for await (const { id, event, data } of events) await stream.send(event, data, id);
  } catch (error) {
    // The status line has gone out, so the reader is told here.
    await stream.send('error', problemOfStream(error));
    throw error;
  } finally {
    stream.end();
  }
}

function problemOfStream(error: unknown): object {
  return { code: error instanceof DomainError ? error.code : INTERNAL_ERROR, retryable: true, partial: true };
}

function toQuestion(conversationId: string, body: AskQuestion): Question {
  const { question, document_ids: documentIds, collection, tags } = body;
  return { conversationId, question, selection: { documentIds, collection, tags } };
}

/** An id that we did not give out counts as none: everything is sent again. */
function positionIn(lastEventId: string | undefined): number {
  return /^\d{1,9}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0;
}
