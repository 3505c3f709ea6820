/** What kind of act it was; decides later how long the event is kept and whether it may be switched off. */
export type AuditCategory = 'auth' | 'data.read' | 'data.write' | 'admin' | 'security' | 'system';

/** `denied`: we would not let it happen. `failure`: it was allowed and did not work. */
export type AuditOutcome = 'success' | 'denied' | 'failure';

export interface AuditActor {
  type: 'user' | 'api-key' | 'system' | 'anonymous';
  tenantId: string;
  id?: string;
  role?: string;
  /** The session or the API key. */
  credentialId?: string;
}

export interface AuditTarget {
  type: string;
  id: string;
}

export type AuditValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly AuditValue[]
  | { readonly [key: string]: AuditValue };

/** What an event may say of a person; the log itself keeps commitments of it only. */
export type PersonalField = 'client_address' | 'login_email' | 'user_agent';
export type PersonalValues = Readonly<Partial<Record<PersonalField, string>>>;

/** Ids, sizes, counts, names of models: never text of a document, a question or an answer, no e-mail, no address. */
export type AuditDetail = Readonly<Record<string, AuditValue>>;

export interface AuditRecord {
  readonly action: string;
  readonly category: AuditCategory;
  actor: AuditActor;
  targets: AuditTarget[];
  outcome: AuditOutcome;
  /** The stable code of the error, where the outcome is not success. */
  reason?: string;
  requestId?: string;
  /** `POST /v1/documents`: the route, never the URL with its ids. */
  route?: string;
  /** About the request. */
  context: AuditDetail;
  /** About the act. */
  detail: AuditDetail;
  /** About the person, to be erased when he asks for it. */
  personal?: PersonalValues;
}

/**
 * Stands in for a tenant where there is none, such as a login with an unknown e-mail address. No tenant can have
 * this id, so row-level security shows these events to nobody who does not ask for them by name.
 */
export const INSTALLATION = '00000000-0000-0000-0000-000000000000';

export const ANONYMOUS: AuditActor = { type: 'anonymous', tenantId: INSTALLATION };

/** The actor where the program acts by itself. */
export function systemActor(tenantId: string): AuditActor {
  return { type: 'system', tenantId };
}
