import { OPERATOR } from './operator.js';
import type { SetUp } from './world.js';

export const PRIMARY_MODEL = 'compatible:primary';
export const SECOND_MODEL = 'openai:second';
/** For both models and the embedder; it must stand in no log. */
export const MODEL_KEY = 'sk-chaos-5f0c1b7e9a2d4c6f8b3e';

export interface Addresses {
  dataDir: string;
  databaseUrl: string;
  primaryUrl: string;
  secondUrl: string;
  redisUrl?: string;
}

const RATES = ['AUTH', 'STRANGER', 'UPLOAD', 'QUESTION', 'SEARCH', 'READ', 'WRITE'];

const REMOTE_EMBEDDER = {
  EMBEDDER_PROVIDER: 'openai',
  EMBEDDER_MODEL: 'fake-embedding',
  EMBEDDER_DIMENSIONS: '64',
};

/** The settings of the program under test: as they come, but for addresses and what would only prolong a cell. */
export function programEnvironment(setUp: SetUp, addresses: Addresses): Record<string, string> {
  const { models, embedder, environment } = setUp;
  return {
    DATA_DIR: addresses.dataDir,
    DATABASE_URL: addresses.databaseUrl,
    BOOTSTRAP_ADMIN_EMAIL: OPERATOR.email,
    BOOTSTRAP_ADMIN_PASSWORD: OPERATOR.password,
    BOOTSTRAP_ADMIN_ROLE: 'operator',
    CHAT_MODELS: models === 'one' ? PRIMARY_MODEL : `${PRIMARY_MODEL},${SECOND_MODEL}`,
    COMPATIBLE_BASE_URL: `${addresses.primaryUrl}/v1`,
    COMPATIBLE_API_KEY: MODEL_KEY,
    OPENAI_BASE_URL: `${addresses.secondUrl}/v1`,
    OPENAI_API_KEY: MODEL_KEY,
    ...(embedder === 'remote' ? REMOTE_EMBEDDER : {}),
    ...(addresses.redisUrl ? { CACHE_URL: addresses.redisUrl } : {}),
    // All clients are on one machine: these limits are for other cells than most.
    ...Object.fromEntries(RATES.map((name) => [`RATE_${name}_PER_MINUTE`, '1000000'])),
    WORKER_RETRY_DELAY_MS: '1000',
    // An alert is opened and resolved as it is otherwise, only sooner.
    ALERT_FOR_MS: '2000',
    ALERT_RESOLVE_MS: '5000',
    ...environment,
  };
}
