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
  if (typeof value === 'string') return JSON.stringify(expressible(value));
  if (typeof value === 'number') return Number.isFinite(value) ? String(value === 0 ? 0 : value) : 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null || value === undefined) return 'null';
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort())
    if (value[key] !== undefined) members.push(`${canonicalJson(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

function expressible(text: string): string {
  return (text.isWellFormed() ? text : text.toWellFormed()).replaceAll('\0', '\ufffd');
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
