import {
  type Capability,
  DegradationManager,
  DegradationRegistry,
  type PolicyRegistry,
  type PolicyState,
  type ServiceLevel,
} from '#libs/resilience';

/** What becomes of a capability while the circuit of a policy lets nothing through. */
type Needs = Record<string, ServiceLevel>;

/**
 * What each capability of the product needs. `answer.generate` is not here: its ladder defines it (rag/answering).
 *
 * Identity never becomes laxer. While the database is away, `auth.verify` believes for a few minutes those whom it
 * verified just before, and denies everybody else; that is less than it promises, so it is `degraded`.
 */
const NEEDS: Record<Exclude<Capability, 'answer.generate'>, Needs> = {
  'auth.verify': { postgres: 'degraded' },
  'auth.login': { postgres: 'unavailable', 'password-hashing': 'unavailable' },
  'retrieve.semantic': { postgres: 'unavailable', embedder: 'degraded' },
  'retrieve.lexical': { postgres: 'unavailable' },
  'ingest.accept': { postgres: 'unavailable', 'blob-store': 'unavailable', scanner: 'unavailable' },
  // What is accepted is kept, and goes on by itself.
  'ingest.process': {
    postgres: 'unavailable',
    'blob-store': 'minimal',
    parser: 'minimal',
    embedder: 'degraded',
    transcriber: 'degraded',
    ocr: 'degraded',
  },
  // Reads are recorded on the disk until the database is back; changes are refused with it.
  'audit.write': { postgres: 'degraded' },
  'audit.query': { postgres: 'unavailable' },
  // Meanwhile each process lets its part of every quota through.
  'quota.share': { 'quota-store': 'degraded' },
  admin: { postgres: 'unavailable' },
};

export function defineCapabilities(policies: Pick<PolicyRegistry, 'policy'>): DegradationRegistry {
  const registry = new DegradationRegistry();
  for (const [capability, needs] of Object.entries(NEEDS) as [Capability, Needs][])
    registry.define(new DegradationManager(capability, { condition: () => conditionOf(needs, policies) }));
  return registry;
}

/** What is left of a database that takes no writes; its circuit knows nothing of that, because it answers. */
const WITHOUT_WRITES: Partial<Record<Capability, ServiceLevel>> = {
  'auth.login': 'unavailable',
  'ingest.accept': 'unavailable',
  'ingest.process': 'unavailable',
  // Questions are answered and not saved, and their records wait on the disk.
  'answer.generate': 'degraded',
  'audit.write': 'degraded',
  admin: 'unavailable',
};

export function noteRefusedWrite(capabilities: DegradationRegistry, reason: string): void {
  for (const [capability, level] of Object.entries(WITHOUT_WRITES) as [Capability, ServiceLevel][])
    capabilities.get(capability).observe(level, reason);
}

/** In the order of the needs, of which the first that is not met decides. */
function conditionOf(
  needs: Needs,
  policies: Pick<PolicyRegistry, 'policy'>,
): { level: ServiceLevel; reason?: string } {
  for (const [name, level] of Object.entries(needs)) {
    const { state } = policies.policy(name);
    if (CLOSED_TO_CALLS.has(state)) return { level, reason: `${name}: ${state}` };
  }
  return { level: 'full' };
}

/** A half-open circuit lets the next call through, on trial; what comes of it is seen then. */
const CLOSED_TO_CALLS: ReadonlySet<PolicyState> = new Set(['open', 'isolated']);
