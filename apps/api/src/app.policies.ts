import type { DatabaseConfig } from '#libs/database';
import { type FaultInjector, PolicyRegistry, type PolicyOptions } from '#libs/resilience';
import { type ChatConfig, chatModelNames } from './rag/index.js';

/** Something cheap to ask each dependency, by the name of its policy, to learn early that it is back. */
export type Probes = Record<string, (signal: AbortSignal) => Promise<unknown>>;

/** Every dependency's policy, in one list. Models are defined one by one: each fails on its own. */
export function definePolicies(
  database: DatabaseConfig,
  chat: ChatConfig,
  probes: Probes = {},
  faults?: FaultInjector,
): PolicyRegistry {
  const policies = new PolicyRegistry({ faults });
  for (const [name, options] of Object.entries(policyList(database, chat, probes)))
    policies.define(name, options, { probe: probes[name] });
  return policies;
}

function policyList(
  database: DatabaseConfig,
  chat: ChatConfig,
  probes: Probes,
): Record<string, PolicyOptions> {
  return {
    postgres: {
      // Statements have limits of their own; this one is for a server that accepts and then says nothing.
      attemptTimeoutMs: 120_000,
      breaker: { openMs: 1_000 },
      bulkhead: { concurrency: database.poolMax, queue: 1_000 },
    },
    cache: {
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
    },
    'blob-store': { attemptTimeoutMs: 30_000, breaker: {} },
    embedder: {
      attemptTimeoutMs: 30_000,
      retry: { retries: 1 },
      breaker: {},
      bulkhead: { concurrency: 8, queue: 256 },
      // One on another machine, which is one that can be probed, is asked again elsewhere when it is slow; our own
      // threads would only have more to do.
      ...(probes['embedder'] && { hedge: {} }),
    },
    parser: { attemptTimeoutMs: 600_000 },
    // Two hashes at once leave the processors to the others; whoever is behind twenty would wait for most of a second.
    'password-hashing': { attemptTimeoutMs: 10_000, bulkhead: { concurrency: 2, queue: 20 } },
    webhook: { attemptTimeoutMs: 10_000, breaker: {} },
    ...Object.fromEntries(
      chatModelNames(chat).map((model) => [
        `model:${model}`,
        {
          // Up to the first token only, which the adapter itself limits a little earlier.
          attemptTimeoutMs: chat.firstTokenTimeoutMs + 1_000,
          breaker: { minimumCalls: 5 },
          bulkhead: { concurrency: 32, queue: 64 },
        },
      ]),
    ),
  };
}
