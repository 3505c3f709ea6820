import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ownerOf } from '../entry.js';
import type { Kept } from '../memory-store.js';
import type { Rejection } from '../rejected.js';

/** Raise it when the form of what is sealed changes; values of another format are deleted. */
const FORMAT = '1';
/** Format, length of what follows the signature, signature, then a line about the value, then the value as JSON. */
const SEALED = /^(\d{1,4}) (\d{1,10}) ([\w-]{43}) /;

const ABOUT = z.object({
  cache: z.string(),
  tenant: z.string(),
  writtenAt: z.number(),
  freshUntil: z.number(),
  expires: z.number().optional(),
});
type About = z.infer<typeof ABOUT>;

/**
 * Signs what leaves the process with a secret of the installation (HMAC-SHA256 over the key and everything that is
 * kept), and believes only what bears that signature: whoever can write to the shared store can make it forget, but
 * not say something else, nor give one tenant's or key's value to another.
 */
export class Seal {
  private readonly secret: KeyObject;

  constructor(secret: Uint8Array) {
    this.secret = createSecretKey(secret);
  }

  /** A kept value as text. */
  seal(key: string, { value, expires }: Kept): string {
    const { writtenAt, freshUntil, json } = value;
    const about: About = { ...ownerOf(key), writtenAt, freshUntil, expires };
    const body = `${JSON.stringify(about)}\n${json}`;
    return `${FORMAT} ${body.length} ${this.sign(key, body)} ${body}`;
  }

  /** What was sealed under this key, or why it is not believed. */
  open(key: string, sealed: string): Kept | Rejection {
    const [head, format, length, signature] = SEALED.exec(sealed) ?? [];
    if (head === undefined) return 'damaged';
    if (format !== FORMAT) return 'version';
    const body = sealed.slice(head.length);
    if (body.length !== Number(length)) return 'damaged';
    if (!timingSafeEqual(Buffer.from(signature!), Buffer.from(this.sign(key, body)))) return 'forged';
    const lineEnd = body.indexOf('\n');
    const { cache, tenant, expires, ...times } = ABOUT.parse(JSON.parse(body.slice(0, lineEnd)));
    const owner = ownerOf(key);
    if (cache !== owner.cache || tenant !== owner.tenant) return 'owner';
    return { value: { ...times, json: body.slice(lineEnd + 1) }, expires };
  }

  private sign(key: string, body: string): string {
    return createHmac('sha256', this.secret).update(`${FORMAT}\n${key}\n${body}`).digest('base64url');
  }
}
