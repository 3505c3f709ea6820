import type { Keyv } from 'keyv';
import type { Policy } from '#libs/resilience';
import { plainKeyv } from '../tiers.js';
import { loadOrCreateSecret } from './cache-secret.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisStore } from './redis-store.js';
import { Seal } from './seal.js';

/**
 * The second tier: what is kept in Redis, signed with the installation's secret from `secretsFolder`.
 *
 * @throws CacheSecretUnusable
 */
export async function sharedTier(
  connection: RedisConnection,
  policy: Pick<Policy, 'execute' | 'state'>,
  secretsFolder: string,
): Promise<Keyv> {
  const seal = new Seal(await loadOrCreateSecret(secretsFolder));
  return plainKeyv(new RedisStore(connection, policy, seal));
}
