/** What RFC 8785 can express. `undefined` members are left out, as ECMAScript's own JSON does. */
export type JsonValue =
  string | number | boolean | null | undefined | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, numbers and strings as ECMAScript
 * writes them, no white space. The same value always gives the same text, which holds no line break.
 *
 * It never throws, because no change may fail over the wording of its record. What the scheme or PostgreSQL cannot
 * express becomes what can be: a number that is not finite becomes null, a lone surrogate or a NUL becomes U+FFFD.
 */
export function canonicalJson(value: JsonValue): string {
  const ordered = inOrder(value);
  // ECMAScript's own writer is many times faster, and writes the same once members are in order.
  const text = ordered === UNORDERABLE ? undefined : JSON.stringify(ordered);
  return text === undefined || NEEDS_REPLACING.test(text) ? writeCanonical(value) : text;
}

/** Escapes of a lone surrogate or a NUL, or what looks like them. */
const NEEDS_REPLACING = /\\u(?:d[89a-f]|0000)/;
/** ECMAScript puts members with such names first, whatever the order they were made in. */
const ARRAY_INDEX = /^(?:0|[1-9]\d*)$/;
const UNORDERABLE = Symbol('members that no object of ECMAScript has in order');

/** The same value with members in order; itself where they are already. */
function inOrder(value: JsonValue): JsonValue | typeof UNORDERABLE {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) {
    const items = value.map(inOrder);
    return items.includes(UNORDERABLE) ? UNORDERABLE : (items as JsonValue[]);
  }
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(value).sort()) {
    const member = inOrder(value[key]);
    if (member === UNORDERABLE || ARRAY_INDEX.test(key) || key === '__proto__') return UNORDERABLE;
    copy[key] = member;
  }
  return copy;
}

function writeCanonical(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(expressible(value));
  if (typeof value === 'number') return Number.isFinite(value) ? String(value === 0 ? 0 : value) : 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null || value === undefined) return 'null';
  if (isList(value)) return `[${value.map(writeCanonical).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort())
    if (value[key] !== undefined) members.push(`${writeCanonical(key)}:${writeCanonical(value[key])}`);
  return `{${members.join(',')}}`;
}

function expressible(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
