import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { publicPrefix } from './api-key.js';
import type { StoredApiKey } from './api-key.store.js';

const LONGEST_LIFE_DAYS = 365;

export const CreateApiKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  expires_in_days: z.int().min(1).max(LONGEST_LIFE_DAYS).default(LONGEST_LIFE_DAYS),
});
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const ListApiKeys = z.strictObject(cursorQuery);
export type ListApiKeys = z.infer<typeof ListApiKeys>;
/** The id of the last key of the page before. */
export const ApiKeyCursor = z.tuple([z.uuid()]);

export const ApiKeyItem = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().describe('The part of the key that is no secret.'),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
});
export type ApiKeyItem = z.infer<typeof ApiKeyItem>;
export const ApiKeyPage = pageOf(ApiKeyItem);
export type ApiKeyPage = z.infer<typeof ApiKeyPage>;

export const CreatedApiKey = ApiKeyItem.omit({ last_used_at: true }).extend({
  key: z.string().describe('The key itself, shown this once.'),
});
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

export function toApiKeyItem(key: StoredApiKey): ApiKeyItem {
  return {
    id: key.id,
    name: key.name,
    prefix: publicPrefix(key.publicId),
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt.toISOString(),
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}

export function toCreatedApiKey({ key, ...stored }: StoredApiKey & { key: string }): CreatedApiKey {
  const { last_used_at: _, ...item } = toApiKeyItem(stored);
  return { ...item, key };
}
