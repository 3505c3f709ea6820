import { createHash } from 'node:crypto';
import type { AuditDetail, AuditTarget, AuditValue } from './audit-record.js';

/** Ids, codes and names of models are shorter; a sentence of somebody's document is longer. */
const LONGEST_TEXT = 120;
const MOST_ITEMS = 200;
const MOST_KEYS = 40;
const DEEPEST = 4;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The last line of defence against a careless caller: long text is kept as its digest only, long lists are cut.
 * It never throws, because a change must not fail over the wording of its record.
 */
export function harmlessDetail(detail: AuditDetail): AuditDetail {
  return harmlessObject(detail, 0);
}

/** Each once: a transaction that is run again names them again. */
export function harmlessTargets(targets: readonly AuditTarget[]): AuditTarget[] {
  const distinct = new Map(targets.map((target) => [`${target.type} ${target.id}`, target]));
  return [...distinct.values()]
    .slice(0, MOST_ITEMS)
    .map(({ type, id }) => ({ type: shorten(type), id: shorten(canonicalId(id)) }));
}

/** As PostgreSQL writes it: a UUID that somebody typed in capitals must be found like any other. Other ids stay as they are. */
export function canonicalId(id: string): string {
  return UUID.test(id) ? id.toLowerCase() : id;
}

function harmlessObject(object: AuditDetail, depth: number): AuditDetail {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.slice(0, MOST_KEYS).map(([key, value]) => [shorten(key), harmlessValue(value, depth + 1)]),
  );
}

function harmlessValue(value: AuditValue, depth: number): AuditValue {
  if (typeof value === 'string') return shorten(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '[too deep]';
  if (isList(value)) return value.slice(0, MOST_ITEMS).map((item) => harmlessValue(item, depth + 1));
  return harmlessObject(value, depth);
}

function isList(value: object): value is readonly AuditValue[] {
  return Array.isArray(value);
}

function shorten(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `sha256:${digest} (${text.length} characters)`;
}
