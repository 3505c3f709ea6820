import type { AuditLine } from '#libs/audit';
import { bodyOf } from './audit-line.js';

const COLUMNS = [
  'occurred_at',
  'id',
  'leaf_index',
  'action',
  'category',
  'outcome',
  'reason',
  'actor_type',
  'actor_id',
  'actor_role',
  'credential_id',
  'targets',
  'request_id',
  'route',
  'context',
  'detail',
] as const;

/** RFC 4180. Targets are `type:id`, with a space between them; context and detail are JSON. */
export const CSV_HEADER = `${COLUMNS.join(',')}\r\n`;

export function toCsv(line: AuditLine): string {
  const { actor, ...body } = bodyOf(line);
  const cells = [
    body.occurred_at,
    body.id,
    line.leafIndex,
    body.action,
    body.category,
    body.outcome,
    body.reason,
    actor.type,
    actor.id,
    actor.role,
    actor.credential_id,
    body.targets.map(({ type, id }) => `${type}:${id}`).join(' '),
    body.request_id,
    body.route,
    JSON.stringify(body.context),
    JSON.stringify(body.detail),
  ];
  return `${cells.map(cell).join(',')}\r\n`;
}

/** What a spreadsheet would take for a formula, also behind white space. */
const FORMULA = /^[\s]*[=+\-@]|^[\t\r]/;
const NEEDS_QUOTES = /[",\r\n\t']/;

/** An apostrophe makes a text of a formula in every spreadsheet; ids and request ids may come from outside. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
