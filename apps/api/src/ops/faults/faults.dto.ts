import { randomInt } from 'node:crypto';
import { z } from 'zod';
import {
  FAULT_ERRORS,
  FAULT_KINDS,
  FAULT_TAG_HEADER,
  type FaultRule,
  type Faults,
  isAllowed,
  LONGEST_TTL_SECONDS,
  type NewFaultRule,
} from '#libs/faults';

const LONGEST_LATENCY_MS = 120_000;
const LARGEST_SEED = 2 ** 31 - 1;
const milliseconds = z.int().min(0).max(LONGEST_LATENCY_MS);

const Parameters = z.strictObject({
  latency_ms: milliseconds.optional().describe('latency: how much later the call is made.'),
  jitter_ms: milliseconds.optional().describe('latency: so much more at most.'),
  error: z.enum(FAULT_ERRORS).optional().describe('error: how it fails; transient unless given.'),
  retry_after_ms: milliseconds.optional().describe('error: what the dependency asks to wait.'),
  after_items: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .describe('error, hang and truncation of a stream: so many items come before.'),
});

export const CreateFault = z
  .strictObject({
    dependency: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9:./_-]{0,198}\*?$/)
      .describe('The name of a policy, or the beginning of names followed by *: `model:*`.'),
    operation: z.string().min(1).max(100).optional(),
    kind: z.enum(FAULT_KINDS),
    parameters: Parameters.default({}),
    rate: z.number().min(0).max(1).default(1).describe('The share of the calls that it hits.'),
    seed: z.int().min(0).max(LARGEST_SEED).optional().describe('The same seed hits the same calls.'),
    tenant_id: z.uuid().optional().describe('Only calls of this tenant.'),
    header: z
      .strictObject({ name: z.literal(FAULT_TAG_HEADER), value: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/) })
      .optional()
      .describe('Only calls of requests with this header.'),
    ttl_seconds: z.int().min(1).max(LONGEST_TTL_SECONDS).default(60),
    reason: z.string().trim().min(1).max(500),
  })
  .refine(({ kind, parameters }) => kind !== 'latency' || parameters.latency_ms !== undefined, {
    path: ['parameters', 'latency_ms'],
    error: 'is needed for latency',
  })
  .refine(({ kind, dependency }) => isAllowed(kind, dependency), {
    path: ['kind'],
    error: 'answers of this dependency may be kept from coming, but not be made wrong',
  });
export type CreateFault = z.infer<typeof CreateFault>;

export const FaultBody = z.object({
  id: z.uuid(),
  dependency: z.string(),
  operation: z.string().nullable(),
  kind: z.enum(FAULT_KINDS),
  parameters: Parameters,
  rate: z.number(),
  seed: z.int(),
  tenant_id: z.uuid().nullable(),
  header: z.object({ name: z.string(), value: z.string() }).nullable(),
  created_by: z.string(),
  reason: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  hits: z.int().describe('Calls that it has hit.'),
});
export type FaultBody = z.infer<typeof FaultBody>;

export const FaultsBody = z.object({
  enabled: z.boolean(),
  items: z.array(FaultBody).describe('In the order in which they act. They are in this process only.'),
  auto_stopped: z
    .object({ at: z.iso.datetime(), rules: z.array(z.string()) })
    .nullable()
    .describe('The last time that all were ended, because more than half of the answers of a minute failed.'),
});
export type FaultsBody = z.infer<typeof FaultsBody>;

export function toNewFaultRule(body: CreateFault, by: string): NewFaultRule {
  const { parameters } = body;
  return {
    dependency: body.dependency,
    operation: body.operation,
    kind: body.kind,
    latencyMs: parameters.latency_ms,
    jitterMs: parameters.jitter_ms,
    error: parameters.error,
    retryAfterMs: parameters.retry_after_ms,
    afterItems: parameters.after_items,
    rate: body.rate,
    seed: body.seed ?? randomInt(LARGEST_SEED),
    tenantId: body.tenant_id,
    tag: body.header?.value,
    ttlSeconds: body.ttl_seconds,
    by,
    reason: body.reason,
  };
}

export function toFaultBody(rule: FaultRule): FaultBody {
  return {
    id: rule.id,
    dependency: rule.dependency,
    operation: rule.operation ?? null,
    kind: rule.kind,
    parameters: {
      latency_ms: rule.latencyMs,
      jitter_ms: rule.jitterMs,
      error: rule.error,
      retry_after_ms: rule.retryAfterMs,
      after_items: rule.afterItems,
    },
    rate: rule.rate,
    seed: rule.seed,
    tenant_id: rule.tenantId ?? null,
    header: rule.tag === undefined ? null : { name: FAULT_TAG_HEADER, value: rule.tag },
    created_by: rule.by,
    reason: rule.reason,
    created_at: rule.createdAt,
    expires_at: rule.expiresAt,
    hits: rule.hits,
  };
}

export function toFaultsBody(faults: Faults): FaultsBody {
  return {
    enabled: faults.enabled,
    items: faults.list().map(toFaultBody),
    auto_stopped: faults.autoStopped ?? null,
  };
}
