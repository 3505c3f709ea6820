import { createHash, createHmac, randomBytes } from 'node:crypto';

/** A refresh token of a living session, as it is stored; times by the database's clock, which all processes share. */
export interface StoredRefreshToken {
  expired: boolean;
  usedSecondsAgo: number | null;
  /** `fingerprint` of the client that used it. */
  usedBy: string | null;
  /** Gives the successor again; gone as soon as the successor itself was used. */
  successorSalt: string | null;
}

export type RefreshVerdict =
  /** Use it up and give out its successor. */
  | 'rotate'
  /** The same client asks again at once, because the first answer was lost: the same successor. */
  | 'repeat'
  /** Two parties hold it: end the session. */
  | 'reused'
  | 'expired';

const TOKEN_BYTES = 32;

export function newRefreshToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

export function newSalt(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What is stored of a token. It is random, so it needs neither a salt nor a slow hash. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * The successor follows from the token and a salt that only the database has. So it can be given again without being
 * stored anywhere: the database alone does not have it, and the old token alone does not give it.
 */
export function successorOf(token: string, salt: string): string {
  return createHmac('sha256', Buffer.from(salt, 'base64url')).update(token).digest('base64url');
}

/** Recognises the same client; the token in it keeps anybody from guessing addresses from what is stored. */
export function fingerprint(
  token: string,
  { address, userAgent }: { address: string; userAgent: string },
): string {
  return createHash('sha256').update(`${token}\n${address}\n${userAgent}`).digest('hex');
}

/** What it means that `client` presents this token. */
export function judgeRefresh(
  token: StoredRefreshToken,
  client: string,
  graceSeconds: number,
): RefreshVerdict {
  if (token.usedSecondsAgo === null) return token.expired ? 'expired' : 'rotate';
  const recent = token.usedSecondsAgo < graceSeconds;
  return recent && token.usedBy === client && token.successorSalt !== null ? 'repeat' : 'reused';
}
