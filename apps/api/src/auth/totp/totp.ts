import { createHash, randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const ISSUER = 'Insurance Navigator';
/** 160 bits, as RFC 4226 recommends. */
const SECRET_BYTES = 20;
const STEP_SECONDS = 30;
/** Steps before and after the present one that are taken, for clocks that are not right. */
const WINDOW = 1;

const RECOVERY_CODES = 10;
/** Base 32 without letters and digits that are taken for one another. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const GROUPS = 6;
const GROUP_LENGTH = 4;

/** Base 32, for a program that makes codes. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What such a program reads from a picture. */
export function totpUri(secret: string, email: string): string {
  return generator(secret, email).toString();
}

/**
 * The step whose code this is. Undefined when it is none of now, or its step is no later than `lastStep`: whoever looks
 * over somebody's shoulder cannot use his code again (RFC 6238, section 5.2).
 */
export function stepOfCode(
  secret: string,
  code: string,
  { lastStep, nowMs = Date.now() }: { lastStep: number | null; nowMs?: number },
): number | undefined {
  const delta = generator(secret).validate({ token: code, timestamp: nowMs, window: WINDOW });
  if (delta === null) return undefined;
  const step = Math.floor(nowMs / 1_000 / STEP_SECONDS) + delta;
  return lastStep !== null && step <= lastStep ? undefined : step;
}

/** Ten times 120 bits, for who has lost his program. */
export function newRecoveryCodes(): string[] {
  const group = () =>
    Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: RECOVERY_CODES }, () => Array.from({ length: GROUPS }, group).join('-'));
}

/** What is stored of one: enough random bits (more than 112, ASVS 5.0, 6.5.2) that no salt and no slow hash is needed. Dashes, spaces and case do not count. */
export function digestOfRecoveryCode(code: string): string {
  return createHash('sha256').update(code.toUpperCase().replaceAll(/[\s-]/g, '')).digest('hex');
}

export function isTotpCode(code: string): boolean {
  return /^\d{6}$/.test(code);
}

function generator(secret: string, label?: string): TOTP {
  return new TOTP({ issuer: ISSUER, label, secret: Secret.fromBase32(secret), period: STEP_SECONDS });
}
