import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { ParseFailure } from '../parse-failure.js';
import { find, findAll, parseXml, type XmlElement } from '../xml.js';
import type { ZipArchive } from '../zip-archive.js';
import { MAX_TOTAL_BYTES } from '../zip-directory.js';

/** Reads entries of an OpenDocument file by name; undefined when there is none. */
export type ReadEntry = (name: string) => Uint8Array | undefined;

/**
 * OpenDocument encrypts each entry by itself and lists how in its manifest (ODF 1.3 part 2, section 3.4). AES in CBC
 * is read, which is what LibreOffice 3.5 to 24.2 writes; older and newer ways are not.
 * @throws ParseFailure password-protected, wrong-password; reading may throw corrupt-file and too-complex
 */
export function openOdt(archive: ZipArchive, password: string | undefined): ReadEntry {
  const manifest = archive.read('META-INF/manifest.xml');
  const locks = manifest ? locksIn(parseXml(manifest)) : new Map<string, XmlElement>();
  const content = locks.get('content.xml');
  if (archive.read('encrypted-package') || (content && (!password || !isSupported(content))))
    throw new ParseFailure('password-protected');
  return (name) => {
    const bytes = archive.read(name);
    const lock = locks.get(name);
    return bytes && lock ? decrypt(bytes, lock, password!) : bytes;
  };
}

function locksIn(manifest: XmlElement): Map<string, XmlElement> {
  return new Map(
    [...findAll(manifest, 'manifest:file-entry')].flatMap((entry) => {
      const lock = find(entry, 'manifest:encryption-data');
      return lock ? [[entry.getAttribute('manifest:full-path') ?? '', lock] as const] : [];
    }),
  );
}

function isSupported(lock: XmlElement): boolean {
  const derivation = attribute(lock, 'key-derivation', 'key-derivation-name');
  return (
    /#aes(128|192|256)-cbc$/.test(attribute(lock, 'algorithm', 'algorithm-name')) &&
    /PBKDF2$/.test(derivation)
  );
}

function decrypt(bytes: Uint8Array, lock: XmlElement, password: string): Uint8Array {
  const derivation = (name: string) => attribute(lock, 'key-derivation', name);
  const startHash = /sha256$/.test(attribute(lock, 'start-key-generation', 'start-key-generation-name'));
  const startKey = createHash(startHash ? 'sha256' : 'sha1')
    .update(password)
    .digest();
  const rounds = Math.min(MAX_ROUNDS, Number(derivation('iteration-count')));
  const keyBytes = Number(derivation('key-size') || 16);
  const key = pbkdf2Sync(startKey, Buffer.from(derivation('salt'), 'base64'), rounds, keyBytes, 'sha1');
  const vector = Buffer.from(attribute(lock, 'algorithm', 'initialisation-vector'), 'base64');
  const decipher = createDecipheriv(`aes-${keyBytes * 8}-cbc`, key, vector).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()]);
  const packed = padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
  if (!hasChecksum(packed, lock)) throw new ParseFailure('wrong-password');
  return inflateRawSync(packed, { maxOutputLength: MAX_TOTAL_BYTES });
}

/** Of the first thousand bytes, which is enough to tell a wrong key. */
function hasChecksum(packed: Uint8Array, lock: XmlElement): boolean {
  const type = lock.getAttribute('manifest:checksum-type') ?? '';
  const isShort = /1k$/i.test(type);
  const hash = createHash(/sha256/i.test(type) ? 'sha256' : 'sha1');
  hash.update(isShort ? packed.subarray(0, 1_024) : packed);
  return hash.digest('base64') === lock.getAttribute('manifest:checksum');
}

const attribute = (lock: XmlElement, element: string, name: string) =>
  find(lock, `manifest:${element}`)?.getAttribute(`manifest:${name}`) ?? '';

/** LibreOffice takes 100,000; a file that asks for more would only cost time. */
const MAX_ROUNDS = 1_000_000;
