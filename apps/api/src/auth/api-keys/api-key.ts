import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `nav_<public id>_<secret>_<checksum>`: greppable by scanners, which can tell a real key by its checksum. */
export interface ApiKey {
  /** Finds the row; may be shown. */
  publicId: string;
  /** 43 base62 characters, 256 bits. */
  secret: string;
}

export const API_KEY_PREFIX = 'nav_';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PUBLIC_ID_LENGTH = 12;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = /^nav_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

export function newApiKey(): ApiKey {
  return { publicId: randomText(PUBLIC_ID_LENGTH), secret: randomText(SECRET_LENGTH) };
}

/** The whole key, for the one time that it is shown. */
export function formatApiKey({ publicId, secret }: ApiKey): string {
  const body = `${publicPrefix(publicId)}_${secret}`;
  return `${body}_${checksum(body)}`;
}

/** What of a key may be shown again, to tell keys apart. */
export function publicPrefix(publicId: string): string {
  return `${API_KEY_PREFIX}${publicId}`;
}

/** Undefined for what is not one of our keys; a mistyped one is found out without asking the database. */
export function parseApiKey(text: string): ApiKey | undefined {
  const [, publicId, secret, sum] = FORM.exec(text) ?? [];
  if (!publicId || !secret || sum !== checksum(`${publicPrefix(publicId)}_${secret}`)) return undefined;
  return { publicId, secret };
}

/** What is stored of the secret. It is random, so it needs neither a salt nor a slow hash. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function secretMatches(secret: string, storedHash: string): boolean {
  return timingSafeEqual(Buffer.from(hashOfSecret(secret), 'hex'), Buffer.from(storedHash, 'hex'));
}

function checksum(body: string): string {
  return base62(crc32(body)).padStart(CHECKSUM_LENGTH, '0');
}

function base62(value: number): string {
  return value < 62 ? ALPHABET[value]! : base62(Math.floor(value / 62)) + ALPHABET[value % 62]!;
}

/** Bytes from 248 on are left out: they would make the first eight letters likelier than the others. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length)
    for (const byte of randomBytes(length))
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62];
  return text;
}
