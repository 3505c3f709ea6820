import { createHash, randomUUID } from 'node:crypto';

/** RFC 9562 UUID version 5 (SHA-1): the same namespace and name always give the same id. */
export function uuidv5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

let latestMs = 0;

/**
 * RFC 9562 UUID version 7: sorts by the millisecond it was made in. When the clock is set back, the ids of this process
 * stay at the latest millisecond it has seen, so that what comes later never sorts before (section 6.2).
 */
export function uuidv7(now: () => number = Date.now): string {
  latestMs = Math.max(latestMs, now());
  const time = latestMs.toString(16).padStart(12, '0');
  // Node draws the randomness of many version 4 ids at once: a system call for each id is dearer than the id.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice('00000000-0000-4'.length)}`;
}
