import { z } from 'zod';
import { cursorQuery, type Page, pageOf } from '#libs/http';
import { MessageBody, toMessageBody } from '../questions/question.dto.js';
import type { Turn } from '../questions/turn.js';
import type { Conversation } from './conversation.js';

export const CreateConversation = z
  .strictObject({
    title: z.string().trim().min(1).max(200).optional().describe('Else the beginning of the first question.'),
  })
  .prefault({});
export type CreateConversation = z.infer<typeof CreateConversation>;

export const ListConversations = z.strictObject(cursorQuery);
export type ListConversations = z.infer<typeof ListConversations>;

export const ConversationBody = z.object({
  id: z.uuid(),
  title: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime().describe('Of the latest question.'),
});
export type ConversationBody = z.infer<typeof ConversationBody>;
export const ConversationPage = pageOf(ConversationBody);
export type ConversationPage = z.infer<typeof ConversationPage>;

export const ConversationWithMessages = ConversationBody.extend({
  messages: pageOf(MessageBody).describe('Questions with their answers, the newest first.'),
});
export type ConversationWithMessages = z.infer<typeof ConversationWithMessages>;

export function toConversationBody({ id, title, createdAt, updatedAt }: Conversation): ConversationBody {
  return { id, title, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}

export function toConversationWithMessages(
  conversation: Conversation,
  { items, next_cursor }: Page<Turn>,
): ConversationWithMessages {
  return { ...toConversationBody(conversation), messages: { items: items.map(toMessageBody), next_cursor } };
}
