import { SetMetadata } from '@nestjs/common';
import type { AuditCategory } from './audit-record.js';

export interface AuditedAct {
  action: string;
  category: AuditCategory;
}

const AUDITED = Symbol('audited');
const UNAUDITED = Symbol('unaudited');
const READ_ONLY = Symbol('read-only');

/**
 * On every route that changes something, and on reads that must leave a trace. `action` is a stable name of the
 * form `noun.verb`; clients filter by it.
 */
export const Audited = (action: string, category: AuditCategory = 'data.write') =>
  SetMetadata(AUDITED, { action, category } satisfies AuditedAct);

/** On a read that nobody needs a record of, or on a class for all of its reads that are not `@Audited`: why not. */
export const Unaudited = (reason: string) => SetMetadata(UNAUDITED, reason);

/** On a POST that only reads: a search with a body. */
export const ReadOnly = () => SetMetadata(READ_ONLY, true);

/** What the handler of a route declared with `@Audited`, if it did. */
export function auditedActOf(handler: object): AuditedAct | undefined {
  return Reflect.getMetadata(AUDITED, handler) as AuditedAct | undefined;
}

/** Why a route leaves no record, by itself or by its class; undefined where nobody has said so. */
export function unauditedReasonOf(controller: object, handler: object): string | undefined {
  return (Reflect.getMetadata(UNAUDITED, handler) ?? Reflect.getMetadata(UNAUDITED, controller)) as
    string | undefined;
}

export function isReadOnly(handler: object): boolean {
  return Reflect.getMetadata(READ_ONLY, handler) === true;
}
