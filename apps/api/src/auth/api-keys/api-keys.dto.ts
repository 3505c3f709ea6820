import { z } from 'zod';
import { PERMISSIONS } from '#libs/auth';
import { cursorQuery, pageOf } from '#libs/http';
import { publicPrefix } from './api-key.js';
import type { StoredApiKey } from './api-key.store.js';

const LONGEST_LIFE_DAYS = 365;
const LONGEST_OVERLAP_SECONDS = 7 * 86_400;
const MOST_NETWORKS = 50;

export const CreateApiKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  expires_in_days: z.int().min(1).max(LONGEST_LIFE_DAYS).default(LONGEST_LIFE_DAYS),
  scopes: z
    .array(z.enum(PERMISSIONS))
    .min(1)
    .max(PERMISSIONS.length)
    .refine((scopes) => new Set(scopes).size === scopes.length, 'each at most once')
    .optional()
    .describe('What the key may do, of what you may do; all of it unless given.'),
  networks: z
    .array(z.union([z.cidrv4(), z.cidrv6()]))
    .min(1)
    .max(MOST_NETWORKS)
    .optional()
    .describe('From where the key is good, in CIDR form; from everywhere unless given.'),
});
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const RotateApiKey = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(LONGEST_OVERLAP_SECONDS)
      .default(86_400)
      .describe('How long the old key stays good.'),
  })
  .prefault({});
export type RotateApiKey = z.infer<typeof RotateApiKey>;

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
  scopes: z.array(z.enum(PERMISSIONS)).nullable().describe('null: all that its user may do.'),
  networks: z.array(z.string()).nullable().describe('null: from everywhere.'),
  replaced_by: z.uuid().nullable().describe('The key that took its place.'),
});
export type ApiKeyItem = z.infer<typeof ApiKeyItem>;
export const ApiKeyPage = pageOf(ApiKeyItem);
export type ApiKeyPage = z.infer<typeof ApiKeyPage>;

export const CreatedApiKey = ApiKeyItem.omit({ last_used_at: true, replaced_by: true }).extend({
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
    scopes: key.scopes,
    networks: key.networks,
    replaced_by: key.replacedBy,
  };
}

export function toCreatedApiKey({ key, ...stored }: StoredApiKey & { key: string }): CreatedApiKey {
  const { last_used_at: _, replaced_by: __, ...item } = toApiKeyItem(stored);
  return { ...item, key };
}
