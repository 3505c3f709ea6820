import { z } from 'zod';
import { PERMISSIONS, permissionsOf, type Principal, principalAllows, ROLES } from '#libs/auth';
import type { Account } from '../tenants/index.js';
import type { Tokens } from './sessions/session.service.js';

export const LoginRequest = z.strictObject({
  email: z.email().max(254),
  // As received: no trimming, and no rules, which hold for new passwords only.
  password: z.string().min(1).max(256),
});
export type LoginRequest = z.infer<typeof LoginRequest>;

export const RefreshRequest = z.strictObject({ refresh_token: z.string().min(1).max(256) });
export type RefreshRequest = z.infer<typeof RefreshRequest>;

export const LogoutRequest = z
  .strictObject({
    everywhere: z.boolean().default(false),
    password: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('With `everywhere`, unless the session began in the last 15 minutes.'),
  })
  .prefault({});
export type LogoutRequest = z.infer<typeof LogoutRequest>;

/** RFC 6749, section 5.1. */
export const TokenResponse = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('Seconds.'),
  refresh_token: z.string(),
  refresh_expires_in: z.int().describe('Seconds.'),
});
export type TokenResponse = z.infer<typeof TokenResponse>;

export const MeResponse = z.object({
  id: z.uuid(),
  email: z.email(),
  role: z.enum(ROLES),
  permissions: z.array(z.enum(PERMISSIONS)),
  tenant: z.object({ id: z.uuid(), name: z.string() }),
  via: z.enum(['session', 'api-key']),
  enrol_second_factor_at: z
    .string()
    .optional()
    .describe('There if this session may do nothing before a second factor is enrolled: where that is done.'),
});
export type MeResponse = z.infer<typeof MeResponse>;

export function toTokenResponse(tokens: Tokens): TokenResponse {
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresInSeconds,
    refresh_token: tokens.refreshToken,
    refresh_expires_in: tokens.refreshExpiresInSeconds,
  };
}

export function toMeResponse(principal: Principal, { user, tenantName }: Account): MeResponse {
  const { via, role, enrolAt } = principal;
  return {
    id: user.id,
    email: user.email,
    role,
    permissions: permissionsOf(role).filter((permission) => principalAllows(principal, permission)),
    tenant: { id: user.tenantId, name: tenantName },
    via,
    ...(enrolAt && { enrol_second_factor_at: enrolAt }),
  };
}
