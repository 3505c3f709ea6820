import { z } from 'zod';
import { ROLES } from '#libs/auth';
import { cursorQuery, pageOf } from '#libs/http';
import type { ServiceAccount } from './service-account.store.js';

const Name = z.string().trim().min(1).max(100);

export const CreateServiceAccount = z.strictObject({ name: Name, role: z.enum(ROLES).default('member') });
export type CreateServiceAccount = z.infer<typeof CreateServiceAccount>;

export const UpdateServiceAccount = z.strictObject({ name: Name.optional(), role: z.enum(ROLES).optional() });
export type UpdateServiceAccount = z.infer<typeof UpdateServiceAccount>;

export const ListServiceAccounts = z.strictObject(cursorQuery);
export type ListServiceAccounts = z.infer<typeof ListServiceAccounts>;
/** The id of the last account of the page before. */
export const ServiceAccountCursor = z.tuple([z.uuid()]);

export const ServiceAccountItem = z.object({
  id: z.uuid(),
  name: z.string(),
  role: z.enum(ROLES),
  suspended: z.boolean(),
  created_by: z.uuid(),
  created_at: z.iso.datetime(),
});
export type ServiceAccountItem = z.infer<typeof ServiceAccountItem>;
export const ServiceAccountPage = pageOf(ServiceAccountItem);
export type ServiceAccountPage = z.infer<typeof ServiceAccountPage>;

export function toServiceAccountItem(account: ServiceAccount): ServiceAccountItem {
  return {
    id: account.id,
    name: account.name,
    role: account.role,
    suspended: account.disabled,
    created_by: account.createdBy,
    created_at: account.createdAt.toISOString(),
  };
}
