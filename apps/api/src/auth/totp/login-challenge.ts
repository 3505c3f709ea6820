import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SealingKey } from '#libs/secrets';

/** Long enough to find one's telephone. */
export const CHALLENGE_SECONDS = 300;
const PURPOSE = 'login challenge';

const Claims = z.object({
  tenantId: z.uuid(),
  userId: z.uuid(),
  /** Changes with the password, so that what began with the old one does not end with the new one. */
  passwordMark: z.string(),
  expiresAt: z.int(),
});
export type ChallengeClaims = z.infer<typeof Claims>;

/** Says that somebody has shown his password. It is sealed, so nobody can make one or read it. */
export function newChallenge(
  sealing: SealingKey,
  user: { tenantId: string; userId: string; passwordHash: string },
  nowMs = Date.now(),
): string {
  const { tenantId, userId, passwordHash } = user;
  const expiresAt = nowMs + CHALLENGE_SECONDS * 1_000;
  const claims: ChallengeClaims = { tenantId, userId, passwordMark: passwordMark(passwordHash), expiresAt };
  return sealing.seal(JSON.stringify(claims), PURPOSE).toString('base64url');
}

/** Undefined for what is none of ours, or too old. */
export function openChallenge(
  sealing: SealingKey,
  challenge: string,
  nowMs = Date.now(),
): ChallengeClaims | undefined {
  try {
    const claims = Claims.parse(JSON.parse(sealing.open(Buffer.from(challenge, 'base64url'), PURPOSE)));
    return claims.expiresAt > nowMs ? claims : undefined;
  } catch {
    return undefined;
  }
}

export function passwordMark(passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url').slice(0, 22);
}
