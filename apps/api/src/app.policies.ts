import { type DatabaseConfig, databaseOutcome, databasePolicy } from '#libs/database';
import { type FaultInjector, type PolicyHooks, PolicyRegistry, type PolicyOptions } from '#libs/resilience';
import type { OidcConfig } from './auth/index.js';
import type { ClamdConfig, ImportConfig } from './ingestion/index.js';
import {
  type ChatConfig,
  chatModelNames,
  type EmbedderConfig,
  type PreviousEmbedderConfig,
} from './rag/index.js';

export interface PolicySettings {
  database: DatabaseConfig;
  chat: ChatConfig;
  /** The local one unless given. */
  embedder?: Pick<EmbedderConfig, 'provider'>;
  /** None unless given. */
  previousEmbedder?: Pick<PreviousEmbedderConfig, 'provider'>;
  clamd?: Pick<ClamdConfig, 'timeoutMs'>;
  import?: Pick<ImportConfig, 'urlTimeoutMs'>;
  oidc?: Pick<OidcConfig, 'timeoutMs'>;
}

export interface PolicySurroundings {
  /** Something cheap to ask each dependency, by the name of its policy, to learn early that it is back. */
  probes?: Record<string, (signal: AbortSignal) => Promise<unknown>>;
  faults?: FaultInjector;
}

/** Every dependency's policy, in one list. Models are defined one by one: each fails on its own. */
export function definePolicies(
  settings: PolicySettings,
  { probes = {}, faults }: PolicySurroundings = {},
): PolicyRegistry {
  const policies = new PolicyRegistry({ faults });
  const list = { ...policyList(settings), ...modelPolicies(settings.chat) };
  for (const [name, options] of Object.entries(list))
    policies.define(name, options, { probe: probes[name], classify: CLASSIFY[name] });
  return policies;
}

/** For dependencies whose adapters have errors of their own. */
const CLASSIFY: Record<string, PolicyHooks['classify']> = { postgres: databaseOutcome };

const redisPolicy: PolicyOptions = {
  // Nobody waits longer for what may not even be there. A window of 2 s: what worked a moment ago is no reason to go on.
  attemptTimeoutMs: 50,
  breaker: {
    windowMs: 2_000,
    minimumCalls: 5,
    openMs: 1_000,
    maxOpenMs: 5_000,
    probeTimeoutMs: 250,
    slowStartMs: 1_000,
  },
  bulkhead: { concurrency: 256, queue: 0 },
};

function embedderPolicy(provider: string = 'local'): PolicyOptions {
  const isLocal = provider === 'local';
  return {
    // For a batch of passages; a question asks with a shorter limit of its own. On this machine a batch waits behind those
    // of all documents that are worked on, and a machine that is slow is no embedder that is away.
    attemptTimeoutMs: isLocal ? 120_000 : 30_000,
    retry: { retries: 1 },
    breaker: {
      minimumCalls: 5,
      failuresInARow: 8,
      slowCallMs: isLocal ? 60_000 : 15_000,
      slowStartMs: 2_000,
    },
    bulkhead: { concurrency: 8, queue: 32, backgroundMaxWaitMs: 60_000 },
    // A second question to the same thread of our own would only wait behind the first.
    ...(!isLocal && { hedge: {} }),
  };
}

function policyList({
  database,
  embedder,
  previousEmbedder,
  clamd,
  import: imports,
  oidc,
}: PolicySettings): Record<string, PolicyOptions> {
  return {
    postgres: databasePolicy(database.poolMax),
    cache: redisPolicy,
    // Where processes count quotas and failed logins together; without it each has its part of them.
    'quota-store': redisPolicy,
    'blob-store': { attemptTimeoutMs: 30_000, breaker: { failuresInARow: 8 } },
    embedder: embedderPolicy(embedder?.provider),
    ...((previousEmbedder?.provider ?? 'none') !== 'none' && {
      'previous-embedder': embedderPolicy(previousEmbedder!.provider),
    }),
    // An outside server that hears stretches of recordings; while it is away the embedded one takes its place.
    transcriber: {
      attemptTimeoutMs: 60_000,
      retry: { retries: 1 },
      breaker: { minimumCalls: 5, failuresInARow: 4, slowCallMs: 45_000 },
      bulkhead: { concurrency: 16, queue: 64, backgroundMaxWaitMs: 60_000, tenantShare: 1 },
    },
    // An outside server that reads pictures of pages; while it is away the embedded one takes its place.
    ocr: {
      // A dense page is a few thousand tokens.
      attemptTimeoutMs: 90_000,
      retry: { retries: 1 },
      breaker: { minimumCalls: 5, failuresInARow: 4, slowCallMs: 60_000 },
      bulkhead: { concurrency: 8, queue: 64, backgroundMaxWaitMs: 90_000, tenantShare: 1 },
    },
    // Nothing is accepted that was not scanned, where a scanner is configured: an outage is told at once.
    scanner: {
      attemptTimeoutMs: clamd?.timeoutMs ?? 60_000,
      retry: { retries: 1 },
      breaker: { minimumCalls: 3, failuresInARow: 3, openMs: 2_000, maxOpenMs: 15_000, slowStartMs: 0 },
      // As many as clamd scans at once unless it is told otherwise.
      bulkhead: { concurrency: 10, queue: 40, maxWaitMs: 10_000, backgroundMaxWaitMs: 60_000 },
    },
    // A document that cannot be read says nothing about the parser, so it has no circuit of its own.
    parser: { attemptTimeoutMs: 600_000 },
    'password-hashing': {
      attemptTimeoutMs: 10_000,
      // Two hashes at once leave the processors to the others; whoever is behind twenty would wait for most of a second.
      // Nobody is known yet, so all who log in are one tenant.
      bulkhead: { concurrency: 2, queue: 20, tenantShare: 1, maxWaitMs: 2_000 },
    },
    // The mail server; what is sent there is tried again from its outbox.
    mail: {
      attemptTimeoutMs: 60_000,
      breaker: { window: 'consecutive', minimumCalls: 3, successes: 1, slowStartMs: 0 },
      bulkhead: { concurrency: 4, queue: 40, tenantShare: 1, backgroundMaxWaitMs: 60_000 },
    },
    // The provider of single sign-on. While it is away people log in with their passwords, so they are told at once.
    oidc: {
      attemptTimeoutMs: oidc?.timeoutMs ?? 5_000,
      retry: { retries: 1 },
      breaker: { minimumCalls: 3, failuresInARow: 3, openMs: 2_000, maxOpenMs: 15_000, slowStartMs: 0 },
      // Nobody is known yet, so all who log in are one tenant.
      bulkhead: { concurrency: 16, queue: 64, tenantShare: 1, maxWaitMs: 5_000 },
    },
    // A pattern for each host from which an import fetches files, each as a whole; its items are tried again.
    'import-fetch': {
      attemptTimeoutMs: imports?.urlTimeoutMs ?? 120_000,
      breaker: { window: 'consecutive', minimumCalls: 5, successes: 1, slowStartMs: 0 },
      bulkhead: { concurrency: 4, queue: 64, backgroundMaxWaitMs: 60_000, tenantShare: 1 },
    },
    // A pattern for each host; what is sent there is tried again from its outbox.
    webhook: {
      attemptTimeoutMs: 10_000,
      breaker: { window: 'consecutive', minimumCalls: 5, successes: 1, slowStartMs: 0 },
      bulkhead: { concurrency: 4, queue: 100, tenantShare: 1, maxWaitMs: 10_000 },
    },
  };
}

function modelPolicies(chat: ChatConfig): Record<string, PolicyOptions> {
  // Up to the first token only, which the adapter itself limits a little earlier, as it does every gap after it.
  const attemptTimeoutMs = Math.min(chat.firstTokenTimeoutMs + 1_000, 600_000);
  const options: PolicyOptions = {
    // No second attempt: the ladder goes on.
    attemptTimeoutMs,
    throttle: {},
    breaker: {
      minimumCalls: 5,
      // An outage after a busy while is seen at once, not when the window holds more failures than successes.
      failuresInARow: 8,
      slowCallMs: attemptTimeoutMs / 2,
      probeTimeoutMs: 15_000,
    },
    bulkhead: { concurrency: 32, queue: 64, tenantQueue: 16, adaptive: { min: 2 } },
  };
  return Object.fromEntries(chatModelNames(chat).map((model) => [`model:${model}`, options]));
}
