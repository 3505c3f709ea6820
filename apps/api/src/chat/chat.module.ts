import { Module } from '@nestjs/common';
import { ConversationsController } from './conversations/conversations.controller.js';
import { ConversationsService } from './conversations/conversations.service.js';
import { ConversationStore } from './conversations/conversation.store.js';
import { LiveTurns } from './questions/live-turns.js';
import { QuestionsController } from './questions/questions.controller.js';
import { QuestionsService } from './questions/questions.service.js';
import { RepeatedTurns } from './questions/repeated-turns.js';
import { TurnStore } from './questions/turn.store.js';

/**
 * Conversations. A **turn** is one question with its answer; it is **live** while its answer is written in this
 * process. What has been written of it can be read again from any place, live or saved.
 */
@Module({
  controllers: [ConversationsController, QuestionsController],
  providers: [ConversationsService, QuestionsService, ConversationStore, TurnStore, RepeatedTurns, LiveTurns],
})
export class ChatModule {}
