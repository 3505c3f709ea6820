import { z } from 'zod';
import { type Tenant, TenantSettings } from './tenant.js';

export const TenantItem = z.object({
  id: z.uuid(),
  name: z.string(),
  created_at: z.iso.datetime(),
  suspended_at: z.iso.datetime().nullable(),
  settings: TenantSettings,
});
export type TenantItem = z.infer<typeof TenantItem>;

export function toTenantItem({ id, name, createdAt, suspendedAt, settings }: Tenant): TenantItem {
  return {
    id,
    name,
    created_at: createdAt.toISOString(),
    suspended_at: suspendedAt?.toISOString() ?? null,
    settings,
  };
}
