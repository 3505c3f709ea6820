import { currentContext } from '#libs/observability';
import { harmlessDetail, harmlessTargets } from './audit-detail.js';
import {
  ANONYMOUS,
  type AuditActor,
  type AuditDetail,
  type AuditOutcome,
  type AuditRecord,
  type AuditTarget,
  type PersonalValues,
} from './audit-record.js';
import type { AuditedAct } from './audited.decorator.js';

/** The record of the request under way. */
export interface PendingAudit extends AuditRecord {
  /** Whether everything that is known so far has been written. */
  recorded: boolean;
  /** Of the event as it was last written, so that it can be written again when it is not known whether it was. */
  eventId?: string;
}

export interface AuditAddition {
  targets?: readonly AuditTarget[];
  detail?: AuditDetail;
  /** For a change that is itself the refusal, such as closing the session of a stolen token. */
  outcome?: AuditOutcome;
  reason?: string;
}

/** Of browsers they are shorter; others are cut. */
const LONGEST_AGENT = 400;
const PENDING = Symbol('pending audit record');
const ACTOR = Symbol('audit actor');

/** Starts the record of this request; what is known of the actor is in it. */
export function openAudit({ action, category }: AuditedAct): PendingAudit {
  const context = currentContext();
  const record: PendingAudit = {
    action,
    category,
    actor: (context?.state.get(ACTOR) as AuditActor | undefined) ?? ANONYMOUS,
    targets: [],
    outcome: 'success',
    requestId: context?.requestId,
    route: context?.route,
    context: {},
    detail: {},
    personal: context?.client && {
      client_address: context.client.address,
      user_agent: context.client.agent?.slice(0, LONGEST_AGENT),
    },
    recorded: false,
  };
  context?.state.set(PENDING, record);
  return record;
}

/** The open record of the request under way; undefined in jobs, and in requests that are not audited. */
export function pendingAudit(): PendingAudit | undefined {
  return currentContext()?.state.get(PENDING) as PendingAudit | undefined;
}

/**
 * Says who acts: the guard, once it knows, and a login, once it knows whose account is tried (also when the
 * password turns out to be wrong, so that the failure stands in that tenant's log).
 */
export function auditActor(actor: AuditActor): void {
  currentContext()?.state.set(ACTOR, actor);
  const record = pendingAudit();
  if (record) record.actor = actor;
}

/**
 * Adds to the open record of the request; without one (a job, a test) it does nothing. Call it before the change
 * commits; what comes later is written as a further event of the same request.
 */
export function auditDetail({ targets = [], detail = {}, outcome, reason }: AuditAddition): void {
  const record = pendingAudit();
  if (!record) return;
  record.targets = harmlessTargets([...record.targets, ...targets]);
  record.detail = harmlessDetail({ ...record.detail, ...detail });
  record.outcome = outcome ?? record.outcome;
  record.reason = reason ?? record.reason;
  record.eventId = undefined;
  record.recorded = false;
}

/** Adds what the request says of a person. It stands in the log as a commitment, and can be erased. */
export function auditPersonal(values: PersonalValues): void {
  const record = pendingAudit();
  if (record) record.personal = { ...record.personal, ...values };
}

/**
 * The transaction of a change failed, or nobody knows whether it did, and the request goes on without it: its event is
 * written again at the end, once in either case.
 */
export function auditAgain(): void {
  const record = pendingAudit();
  if (record) record.recorded = false;
}
