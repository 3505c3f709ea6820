import { z } from 'zod';
import type { StoredTokenKey } from './token-key.store.js';

export const Kid = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

export const TokenKeyItem = z.object({
  kid: Kid,
  state: z
    .enum(['published', 'signing', 'verifying', 'ended', 'revoked'])
    .describe('published: signs soon. verifying: signs no more, and its tokens are good until they end.'),
  created_at: z.iso.datetime(),
  signs_from: z.iso.datetime(),
  verifies_until: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});
export const TokenKeyList = z.object({ items: z.array(TokenKeyItem) });
export type TokenKeyList = z.infer<typeof TokenKeyList>;

/** RFC 7517 and RFC 8037. */
export const JsonWebKeySet = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      kid: Kid,
      alg: z.literal('EdDSA'),
      use: z.literal('sig'),
    }),
  ),
});
export type JsonWebKeySet = z.infer<typeof JsonWebKeySet>;

export function toTokenKeyList(keys: StoredTokenKey[]): TokenKeyList {
  return {
    items: keys.map((key) => ({
      kid: key.kid,
      state: key.state,
      created_at: key.createdAt.toISOString(),
      signs_from: key.signsFrom.toISOString(),
      verifies_until: key.verifiesUntil?.toISOString() ?? null,
      revoked_at: key.revokedAt?.toISOString() ?? null,
    })),
  };
}
