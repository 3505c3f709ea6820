import { loadConfig } from '#libs/config';
import { poolMaxOf, quotaStoreUrlOf, sections } from './app.config.js';

const poolMax = (environment: Record<string, string>) => poolMaxOf(loadConfig(sections, environment));

describe('the connections of a process', () => {
  it('are as many as a worker needs for its documents, so that several workers fit beside an API', () => {
    expect(poolMax({ ROLE: 'worker' })).toBe(20);
    expect(poolMax({ ROLE: 'worker', WORKER_CONCURRENCY: '10' })).toBe(28);
  });

  it('are left to the database for other processes', () => {
    expect(poolMax({})).toBeUndefined();
    expect(poolMax({ ROLE: 'api' })).toBeUndefined();
  });

  it('are what somebody says they are', () => {
    expect(poolMax({ ROLE: 'worker', DATABASE_POOL_MAX: '5' })).toBe(5);
  });
});

describe('the store of quotas', () => {
  const storeOf = (environment: Record<string, string>) => quotaStoreUrlOf(loadConfig(sections, environment));

  it('is none unless it is asked for, also where there is a Redis', () => {
    expect(storeOf({ CACHE_URL: 'redis://localhost' })).toBeUndefined();
    expect(storeOf({ CACHE_URL: 'redis://localhost', RATE_LIMIT_STORE: 'redis' })).toBe('redis://localhost');
  });

  it('ends the start when it is asked for and there is no Redis', () => {
    expect(() => storeOf({ RATE_LIMIT_STORE: 'redis' })).toThrow(/CACHE_URL/);
  });
});
