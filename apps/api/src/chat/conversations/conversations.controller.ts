import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { auditDetail, Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import {
  ConversationBody,
  ConversationPage,
  ConversationWithMessages,
  CreateConversation,
  ListConversations,
  toConversationBody,
  toConversationWithMessages,
} from './conversation.dto.js';
import { ConversationsService } from './conversations.service.js';

const Id = { schema: z.uuid() };

@ApiTags('conversations')
@Controller('v1/conversations')
@RequirePermission('conversation.read')
@RateClass('read')
@Priority('sheddable')
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Post()
  @RequirePermission('conversation.write')
  @Audited('conversation.create')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({ summary: 'Begin a conversation' })
  @ApiCreatedResponse({ standardSchema: ConversationBody })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateConversation }) { title }: CreateConversation,
  ): Promise<ConversationBody> {
    return toConversationBody(await this.conversations.create(principal, title));
  }

  @Get()
  @Unaudited('titles of the caller’s own conversations')
  @ApiOperation({ summary: 'Your conversations, the newest first' })
  @ApiOkResponse({ standardSchema: ConversationPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListConversations }) query: ListConversations,
  ): Promise<ConversationPage> {
    const { items, next_cursor } = await this.conversations.list(principal, query);
    return { items: items.map(toConversationBody), next_cursor };
  }

  @Get(':id')
  @Audited('conversation.read', 'data.read')
  @ApiOperation({ summary: 'A conversation with its questions and answers, the newest first' })
  @ApiOkResponse({ standardSchema: ConversationWithMessages })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListConversations }) query: ListConversations,
  ): Promise<ConversationWithMessages> {
    auditDetail({ targets: [{ type: 'conversation', id }] });
    const { conversation, turns } = await this.conversations.get(principal, id, query);
    return toConversationWithMessages(conversation, turns);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('conversation.write')
  @Audited('conversation.delete')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({ summary: 'Delete a conversation with its questions and answers' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.conversations.delete(principal, id);
  }
}
