import type { AuditLine } from '#libs/audit';
import { type AuditBody, bodyOf } from './audit-line.js';

/** Open Cybersecurity Schema Framework, https://schema.ocsf.io/1.3.0. */
export const OCSF_VERSION = '1.3.0';

const AUTHENTICATION = { class_uid: 3002, category_uid: 3, class_name: 'Authentication' };
const API_ACTIVITY = { class_uid: 6003, category_uid: 6, class_name: 'API Activity' };
const SERVICE = { name: 'Insurance Navigator' };

interface Activity {
  activity_id: number;
  activity_name: string;
}

const LOGON: Activity = { activity_id: 1, activity_name: 'Logon' };
const LOGOFF: Activity = { activity_id: 2, activity_name: 'Logoff' };
/** What begins, goes on with or ends a session. Everything else about accounts is a call of the API. */
const AUTHENTICATIONS: ReadonlyMap<string, Activity> = new Map([
  ['auth.login', LOGON],
  ['auth.second-factor', LOGON],
  ['auth.refresh', { activity_id: 99, activity_name: 'Refresh' }],
  ['auth.logout', LOGOFF],
  ['session.end', LOGOFF],
  ['sso.login', LOGON],
  ['sso.logout', LOGOFF],
]);

const CREATE: Activity = { activity_id: 1, activity_name: 'Create' };
const READ: Activity = { activity_id: 2, activity_name: 'Read' };
const UPDATE: Activity = { activity_id: 3, activity_name: 'Update' };
const DELETE: Activity = { activity_id: 4, activity_name: 'Delete' };
/** By the last word of the action. */
const ACTIVITIES: ReadonlyMap<string, Activity> = new Map([
  ...['create', 'upload', 'add', 'place', 'accept', 'sign-up', 'bootstrap'].map(
    (verb) => [verb, CREATE] as const,
  ),
  ...['read', 'list', 'download', 'checkpoints', 'keys', 'prove', 'stream', 'export', 'preview'].map(
    (verb) => [verb, READ] as const,
  ),
  ...[
    'update',
    'change',
    'configure',
    'rotate',
    'share',
    'suspend',
    'resume',
    'pause',
    'reset',
    'rename',
  ].map((verb) => [verb, UPDATE] as const),
  ...['delete', 'remove', 'revoke', 'erase', 'erased', 'cancel', 'clear', 'lift'].map(
    (verb) => [verb, DELETE] as const,
  ),
]);

/** What was refused matters more to whoever reads it than what did not work. */
const OUTCOMES = {
  success: { status_id: 1, status: 'Success', severity_id: 1, severity: 'Informational' },
  failure: { status_id: 2, status: 'Failure', severity_id: 2, severity: 'Low' },
  denied: { status_id: 2, status: 'Failure', severity_id: 3, severity: 'Medium' },
} as const;

export function toOcsf(line: AuditLine): string {
  return `${JSON.stringify(ocsfEvent(line))}\n`;
}

/** Logins and logouts are Authentication (3002), all else is API Activity (6003). Ids only, as in the log itself. */
export function ocsfEvent(line: AuditLine): object {
  const body = bodyOf(line);
  const authentication = AUTHENTICATIONS.get(body.action);
  const { class_uid, ...classification } = authentication ? AUTHENTICATION : API_ACTIVITY;
  const activity = authentication ?? activityOf(body);
  const user = userOf(body);
  const { actor, request_id, targets } = body;
  return {
    ...classification,
    class_uid,
    ...activity,
    type_uid: class_uid * 100 + activity.activity_id,
    ...OUTCOMES[body.outcome],
    ...(body.reason !== null && { status_code: body.reason }),
    time: Date.parse(body.occurred_at),
    metadata: {
      version: OCSF_VERSION,
      product: { name: SERVICE.name, vendor_name: SERVICE.name },
      log_name: 'audit',
      uid: body.id,
      tenant_uid: body.tenant_id,
      original_time: body.occurred_at,
      ...(request_id !== null && { correlation_uid: request_id }),
    },
    actor: {
      user,
      ...(actor.type === 'user' && actor.credential_id !== null && { session: { uid: actor.credential_id } }),
    },
    ...(authentication
      ? { user, service: SERVICE, is_remote: true }
      : {
          api: {
            operation: body.action,
            service: SERVICE,
            ...(request_id !== null && { request: { uid: request_id } }),
          },
          // The class wants it. Addresses are personal data: the log has commitments of them only.
          src_endpoint: { name: 'withheld' },
          ...(targets.length > 0 && { resources: targets.map(({ type, id }) => ({ type, uid: id })) }),
        }),
    unmapped: {
      action: body.action,
      category: body.category,
      outcome: body.outcome,
      role: actor.role,
      route: body.route,
      context: body.context,
      detail: body.detail,
      leaf_index: line.leafIndex,
    },
  };
}

function activityOf({ action, category }: AuditBody): Activity {
  const verb = action.slice(action.lastIndexOf('.') + 1);
  const known = category === 'data.read' ? READ : ACTIVITIES.get(verb);
  return known ?? { activity_id: 99, activity_name: verb };
}

function userOf({ actor, tenant_id }: AuditBody): object {
  const org = { uid: tenant_id };
  if (actor.type === 'system') return { name: 'system', type_id: 3, type: 'System', org };
  if (actor.id === null) return { name: 'anonymous', type_id: 0, type: 'Unknown', org };
  const isAdmin = actor.role === 'admin' || actor.role === 'operator';
  return {
    uid: actor.id,
    ...(isAdmin ? { type_id: 2, type: 'Admin' } : { type_id: 1, type: 'User' }),
    ...(actor.type === 'api-key' && actor.credential_id !== null && { credential_uid: actor.credential_id }),
    org,
  };
}
