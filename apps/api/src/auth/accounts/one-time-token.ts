import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

const BYTES = 32;

/** What a mail holds to prove that it was received: 256 random bits, good for one use. */
export function newOneTimeToken(): string {
  return randomBytes(BYTES).toString('base64url');
}

/** What is stored of it, and what it is found by. It is random, so it needs neither a salt nor a slow hash. */
export function digestOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export const OneTimeToken = z.string().min(1).max(256).describe('From the mail.');
export const NewPassword = z
  .string()
  .min(1)
  .max(1_000)
  .describe('8 to 256 characters, taken as they come; not one of those that everybody tries.');

/** Whatever became of the request: who asked may not be who is meant. */
export const MailOnItsWay = z.object({
  accepted: z.literal(true).describe('A mail is on its way, if there is somebody to send it to.'),
});
export type MailOnItsWay = z.infer<typeof MailOnItsWay>;
