import { PasswordRefused } from '../auth.errors.js';
import { isCommonPassword } from './common-passwords.js';

export const SHORTEST_PASSWORD = 8;
export const LONGEST_PASSWORD = 256;
/** Words of this product and of who runs it, which whoever guesses here tries first (ASVS 5.0, 6.1.2). */
export const CONTEXT_WORDS = [
  'insurance',
  'navigator',
  'deductible',
  'coverage',
  'premium',
  'policy',
  'claims',
  'operator',
  'manager',
  'admin',
] as const;
/** Of letters that a password needs beside such words. */
const LETTERS_BESIDE = 4;

/**
 * The rules for a new password (ASVS 5.0, 6.2): its length, not one that everybody tries first, not a word of this
 * product with figures around it, not the e-mail address. No rules about its characters, and it is taken as it comes, spaces included.
 *
 * @throws PasswordRefused
 */
export function assertAcceptablePassword(password: string, email: string): void {
  if (password.length < SHORTEST_PASSWORD || password.length > LONGEST_PASSWORD)
    throw new PasswordRefused(`A password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`);
  const lower = password.toLowerCase();
  if (isCommonPassword(password) || /^(.)\1*$/u.test(lower))
    throw new PasswordRefused('This password is one of the first that anybody tries');
  if (isOfContext(lower))
    throw new PasswordRefused('This password is a word of this product, and little else');
  if (lower === email.toLowerCase() || lower === email.toLowerCase().split('@')[0])
    throw new PasswordRefused('The password must not be the e-mail address');
}

function isOfContext(lower: string): boolean {
  const words = new RegExp(CONTEXT_WORDS.join('|'), 'g');
  const beside = lower.replaceAll(words, '').match(/\p{L}/gu) ?? [];
  return words.test(lower) && beside.length < LETTERS_BESIDE;
}
