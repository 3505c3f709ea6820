import { z } from 'zod';
import type { Role } from '#libs/auth';

export interface Tenant {
  id: string;
  name: string;
  createdAt: Date;
  suspendedAt: Date | null;
  settings: TenantSettings;
}

export interface User {
  tenantId: string;
  id: string;
  email: string;
  role: Role;
  /** Suspended, removed, or of a tenant that is suspended. */
  disabled: boolean;
  /** Of his tenant, where operators have set one. */
  quotaFactor?: number | null;
}

export interface UserWithPassword extends User {
  /** Absent: nobody logs in with a password. */
  passwordHash?: string;
}

export interface Account {
  user: User;
  tenantName: string;
}

/** A user as administrators see him. */
export interface Colleague {
  id: string;
  email: string;
  role: Role;
  createdAt: Date;
  suspendedAt: Date | null;
  /** Since when he is about to be erased. */
  erasingAt: Date | null;
  hasSecondFactor: boolean;
}

/** Becomes part of host names and folders, so it has their form. */
export const TenantName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Lower-case letters, digits and dashes');

/** Operators decide it, so it is not among what a tenant changes itself. */
export const QuotaFactor = z
  .number()
  .min(0.01)
  .max(1_000)
  .describe('How many times the quotas of the installation this tenant and its users have.');

const RETENTION_DAYS = z.int().min(1).max(36_500);

/** As it is stored. Only what has an effect is taken; null in a change means: as the installation has it. */
export const TenantSettings = z.strictObject({
  answer_threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'An answer quoted from the documents that is less sure than this counts as not in the documents.',
    ),
  allowed_models: z
    .array(z.string().min(1).max(100))
    .max(20)
    .optional()
    .describe(
      'Chat models that may read the documents of this tenant, as their policies name them; an empty list: none.',
    ),
  document_retention_days: RETENTION_DAYS.optional().describe(
    'Documents are deleted so many days after they came in.',
  ),
  collection_retention_days: z
    .record(z.string().min(1).max(100), RETENTION_DAYS)
    .refine((days) => Object.keys(days).length <= 200, 'At most 200 collections')
    .optional()
    .describe('The same for the documents of collections, by name; it comes before that of the tenant.'),
  directory: z
    .enum(['everybody', 'own-groups'])
    .optional()
    .describe(
      'Whom people find to share documents with: everybody of the tenant, or (unless it is said) those of their groups and whose whole address they type.',
    ),
  require_second_factor: z
    .boolean()
    .optional()
    .describe('Sessions that began without a second factor may do nothing but enrol one.'),
  audit_retention_days: z
    .int()
    .min(30)
    .max(3_650)
    .optional()
    .describe('Events of the audit log that are older are archived and deleted; unset, all are kept.'),
  quota_factor: QuotaFactor.optional(),
});
export type TenantSettings = z.infer<typeof TenantSettings>;

export const ChangeSettings = z.strictObject({
  answer_threshold: TenantSettings.shape.answer_threshold.nullable(),
  allowed_models: TenantSettings.shape.allowed_models.nullable(),
  document_retention_days: TenantSettings.shape.document_retention_days.nullable(),
  collection_retention_days: TenantSettings.shape.collection_retention_days.nullable(),
  directory: TenantSettings.shape.directory.nullable(),
  require_second_factor: TenantSettings.shape.require_second_factor.nullable(),
  audit_retention_days: TenantSettings.shape.audit_retention_days.nullable(),
});
export type ChangeSettings = z.infer<typeof ChangeSettings>;

/** A change leaves out what it does not touch. */
export function changedSettings(settings: TenantSettings, change: ChangeSettings): TenantSettings {
  const merged = Object.entries({ ...settings, ...change }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return TenantSettings.parse(Object.fromEntries(merged));
}
