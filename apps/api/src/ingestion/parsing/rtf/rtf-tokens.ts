/** A piece of RTF source (Rich Text Format specification 1.9.1, "Conventions of an RTF reader"). */
export type RtfToken =
  | { kind: 'open' }
  | { kind: 'close' }
  /** `\b0`: a word of letters, with its number when it has one. */
  | { kind: 'word'; name: string; value: number | undefined }
  /** `\'e4`, and letters written as they are: in the code page of the font. */
  | { kind: 'byte'; value: number };

const OPEN = 0x7b;
const CLOSE = 0x7d;
const BACKSLASH = 0x5c;
const isLetter = (byte: number | undefined) =>
  byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Parts RTF into tokens. Line ends mean nothing; bytes that `\bin` announces are passed over. */
export function* rtfTokens(bytes: Uint8Array): Iterable<RtfToken> {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at++]!;
    if (byte === OPEN) yield { kind: 'open' };
    else if (byte === CLOSE) yield { kind: 'close' };
    else if (byte === BACKSLASH) {
      const control = readControl(bytes, at);
      at = control.next;
      yield control.token;
    } else if (byte !== 0x0a && byte !== 0x0d && byte !== 0) yield { kind: 'byte', value: byte };
  }
}

function readControl(bytes: Uint8Array, start: number): { token: RtfToken; next: number } {
  const first = bytes[start];
  if (first === 0x27) {
    const digits = String.fromCharCode(bytes[start + 1] ?? 0x30, bytes[start + 2] ?? 0x30);
    return { token: { kind: 'byte', value: Number.parseInt(digits, 16) || 0x20 }, next: start + 3 };
  }
  if (!isLetter(first)) return readSymbol(first, start);
  let at = start;
  while (isLetter(bytes[at]) && at - start < MAX_WORD_LENGTH) at += 1;
  const name = ascii(bytes, start, at);
  const numberAt = at;
  if (bytes[at] === 0x2d) at += 1;
  while (isDigit(bytes[at]) && at - numberAt < MAX_DIGITS) at += 1;
  const value = at > numberAt ? Number(ascii(bytes, numberAt, at)) : undefined;
  if (bytes[at] === 0x20) at += 1;
  if (name === 'bin') at += Math.max(0, value ?? 0);
  return { token: { kind: 'word', name, value: Number.isNaN(value) ? undefined : value }, next: at };
}

/** `\{` and its like are the sign itself; some others have a meaning of their own. */
function readSymbol(byte: number | undefined, start: number): { token: RtfToken; next: number } {
  const next = start + 1;
  if (byte === OPEN || byte === CLOSE || byte === BACKSLASH)
    return { token: { kind: 'byte', value: byte }, next };
  if (byte === 0x0a || byte === 0x0d) return { token: { kind: 'word', name: 'par', value: undefined }, next };
  return { token: { kind: 'word', name: String.fromCharCode(byte ?? 0x20), value: undefined }, next };
}

const ascii = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');

const MAX_WORD_LENGTH = 32;
const MAX_DIGITS = 11;
