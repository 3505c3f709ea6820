import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** A key whose signatures are believed, as C2SP signed-note writes it: `<name>+<id>+<key>`. */
export interface NoteVerifier {
  name: string;
  /** The first four bytes of SHA-256 over name, line feed, algorithm and key. */
  id: Buffer;
  key: KeyObject;
}

export interface NoteSigner extends NoteVerifier {
  privateKey: KeyObject;
}

/** It is no note, or nobody signed it whom we know. */
export class NoteNotSigned extends Error {
  constructor(reason: string) {
    super(`The note cannot be believed: ${reason}`);
    this.name = 'NoteNotSigned';
  }
}

/** Ed25519, as signed-note numbers it. */
const ED25519 = Buffer.of(1);
const SIGNATURE = /^\u2014 (\S+) ([A-Za-z0-9+/]+=*)$/u;
const ID_BYTES = 4;
/** What stands before the 32 bytes of a public Ed25519 key in its SubjectPublicKeyInfo (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** C2SP signed-note: the text, an empty line, and a line with the signature (Ed25519, RFC 8032) over the text. */
export function signNote(text: string, { name, id, privateKey }: NoteSigner): string {
  if (!text.endsWith('\n') || text.includes('\n\n'))
    throw new Error('A note is of lines, none of them empty');
  const signature = sign(null, Buffer.from(text), privateKey);
  return `${text}\n\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/**
 * The text of a note that one of these keys signed; signatures of keys that are not among them say nothing.
 *
 * @throws NoteNotSigned
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): string {
  const end = note.indexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw new NoteNotSigned('it has no signatures');
  const text = note.slice(0, end + 1);
  let known = 0;
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded] = SIGNATURE.exec(line) ?? [];
    if (!name) throw new NoteNotSigned('a line of its signatures is none');
    const bytes = Buffer.from(encoded!, 'base64');
    const verifier = verifiers.find(
      (each) => each.name === name && each.id.equals(bytes.subarray(0, ID_BYTES)),
    );
    if (!verifier) continue;
    known += 1;
    if (!verify(null, Buffer.from(text), verifier.key, bytes.subarray(ID_BYTES)))
      throw new NoteNotSigned(`the signature of ${name} is wrong`);
  }
  if (known === 0) throw new NoteNotSigned('no key that is known signed it');
  return text;
}

/** @param publicKey the 32 bytes of RFC 8032 */
export function noteVerifier(name: string, publicKey: Buffer): NoteVerifier {
  const input = Buffer.concat([Buffer.from(`${name}\n`), ED25519, publicKey]);
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
  return { name, id: hash('sha256', input, 'buffer').subarray(0, ID_BYTES), key };
}

/** `<name>+<id in hex>+<algorithm and key in base64>`: what an auditor is given to believe our notes by. */
export function encodeVerifier({ name, id, key }: NoteVerifier): string {
  const raw = key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
  return `${name}+${id.toString('hex')}+${Buffer.concat([ED25519, raw]).toString('base64')}`;
}

/** @throws NoteNotSigned when it is no such key, or its id is that of another */
export function decodeVerifier(encoded: string): NoteVerifier {
  const [, name, id, key] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(encoded.trim()) ?? [];
  const bytes = Buffer.from(key ?? '', 'base64');
  if (!name || bytes.length !== 33 || !bytes.subarray(0, 1).equals(ED25519))
    throw new NoteNotSigned('the key is no Ed25519 verifier key');
  const verifier = noteVerifier(name, bytes.subarray(1));
  if (verifier.id.toString('hex') !== id) throw new NoteNotSigned('the id of the key is not its own');
  return verifier;
}
