import type { DatabaseConfig } from '#libs/database';
import { PolicyRegistry, type PolicyOptions } from '#libs/resilience';
import { type ChatConfig, chatModelNames } from './rag/index.js';

const BREAKER = { failureThreshold: 0.5, minimumRps: 1, openMs: 5_000 } satisfies Partial<PolicyOptions>;

/** Every dependency's policy, in one list. Models are defined one by one: each fails on its own. */
export function definePolicies(database: DatabaseConfig, chat: ChatConfig): PolicyRegistry {
  const policies = new PolicyRegistry();
  policies.define('postgres', {
    ...BREAKER,
    // A transaction is never repeated from here: only its caller knows whether that is safe. Statements have
    // limits of their own; this one is for a server that accepts and then says nothing.
    retries: 0,
    attemptTimeoutMs: 120_000,
    totalTimeoutMs: 120_000,
    concurrency: database.poolMax,
    queue: 1_000,
  });
  policies.define('embedder', {
    ...BREAKER,
    retries: 1,
    attemptTimeoutMs: 30_000,
    totalTimeoutMs: 60_000,
    concurrency: 8,
    queue: 256,
  });
  for (const model of chatModelNames(chat))
    policies.define(`model:${model}`, {
      ...BREAKER,
      // Up to its first token only, which the adapter itself limits a little earlier and afterwards watches the gaps.
      // No second attempt: the ladder goes on.
      retries: 0,
      attemptTimeoutMs: chat.firstTokenTimeoutMs + 1_000,
      totalTimeoutMs: chat.firstTokenTimeoutMs + 1_000,
      concurrency: 32,
      queue: 64,
    });
  return policies;
}
