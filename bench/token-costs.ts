import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { AccessTokens, newTokenKey, type Principal, TokenKeys } from '#libs/auth';
import { loadConfig } from '#libs/config';
import { connectDatabase, startEmbeddedPostgres, TenantDb } from '#libs/database';
import { migrations } from '#migrations';
import { sections } from '../apps/api/src/app.config.js';
import { definePolicies } from '../apps/api/src/app.policies.js';
import { ApiKeysService } from '../apps/api/src/auth/api-keys/api-keys.service.js';
import { StoredCredentialVerifier } from '../apps/api/src/auth/credential.verifier.js';
import { SessionService } from '../apps/api/src/auth/sessions/session.service.js';
import { VerifiedCredentials } from '../apps/api/src/auth/verified-credentials.js';
import { TenantsService, type User } from '../apps/api/src/tenants/index.js';

const CALLERS = 50;
const COLD_CHECKS = 1_000;
const WARM_CHECKS = 200_000;
const SETTINGS = { issuer: 'bench', audience: 'bench', lifetimeSeconds: 600 };
const ADDRESS = '192.0.2.1';

type Check = (i: number) => Promise<unknown>;

/** Microseconds of processor time a check. */
async function cost(checks: number, check: Check): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < checks; i++) await check(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checks;
}

async function callersOn(db: TenantDb) {
  const keys = await TokenKeys.of(await newTokenKey());
  const tokens = new AccessTokens(keys, SETTINGS);
  const tenants = new TenantsService(db);
  const config = loadConfig(sections, {});
  const fresh = () => {
    const verified = new VerifiedCredentials();
    const sessions = new SessionService(db, tenants, tokens, verified, config.auth);
    const apiKeys = new ApiKeysService(db, tenants, verified);
    return {
      verified,
      sessions,
      apiKeys,
      verifier: new StoredCredentialVerifier(verified, sessions, apiKeys),
    };
  };
  const { sessions, apiKeys } = fresh();
  const tenantId = randomUUID();
  await db.run(tenantId, (tx) => tenants.createTenant(tx, 'bench', tenantId));
  const accessTokens: string[] = [];
  const programKeys: string[] = [];
  for (let i = 0; i < CALLERS; i++) {
    const user: User = await db.run(tenantId, (tx) =>
      tenants.createUser(tx, { tenantId, email: `${i}@example.com`, role: 'member' }),
    );
    const { accessToken } = await sessions.open(user, { secondFactor: false });
    const { principal } = await sessions.verify(accessToken);
    accessTokens.push(accessToken);
    programKeys.push((await apiKeys.create(principal, 'bench', 1)).key);
  }
  return { keys, tokens, fresh, accessTokens, programKeys };
}

type Callers = Awaited<ReturnType<typeof callersOn>>;

/** Microseconds of processor time of one check. */
interface Costs {
  /** The signature, by the library alone. */
  jose: number;
  /** The signature and what the token says, without a look at its session. */
  token: number;
  tokenCold: number;
  keyCold: number;
  tokenCached: number;
  keyCached: number;
}

async function round({ keys, tokens, fresh, accessTokens, programKeys }: Callers): Promise<Costs> {
  const jwks = createLocalJWKSet(keys.jwks());
  const { verifier, sessions, apiKeys, verified } = fresh();
  const token = (i: number) => accessTokens[i % CALLERS]!;
  const key = (i: number) => programKeys[i % CALLERS]!;
  const cached =
    (credential: (i: number) => string): Check =>
    (i) =>
      verifier.verify(credential(i), ADDRESS);
  const cold = {
    jose: await cost(COLD_CHECKS, (i) => jwtVerify(token(i), jwks, SETTINGS)),
    token: await cost(COLD_CHECKS, (i) => tokens.verify(token(i))),
    tokenCold: await cost(COLD_CHECKS, (i) => sessions.verify(token(i))),
    keyCold: await cost(COLD_CHECKS, (i) => apiKeys.verify(key(i))),
  };
  // Without the looks: the first of each, and one every few seconds by which a revocation elsewhere is noticed.
  for (let i = 0; i < CALLERS; i++) await Promise.all([cached(token)(i), cached(key)(i)]);
  const warm = {
    tokenCached: await cost(WARM_CHECKS, cached(token)),
    keyCached: await cost(WARM_CHECKS, cached(key)),
  };
  verified.forget(() => true);
  return { ...cold, ...warm };
}

/** How long a logout takes to hold in the process that did it: the next check already knows. */
async function assertRevocationHolds({ fresh, accessTokens }: Callers): Promise<void> {
  const { verifier, sessions } = fresh();
  const token = accessTokens.at(-1)!;
  const principal: Principal = await verifier.verify(token, ADDRESS);
  await sessions.logout(principal, { everywhere: true });
  const after = await verifier.verify(token, ADDRESS).then(
    () => 'accepted',
    (error: { code?: string }) => error.code,
  );
  if (after !== 'session-ended') throw new Error(`A token was ${after} after its logout`);
}

/**
 * What it costs to find out who is asking: one set of figures for each round, on an embedded PostgreSQL whose own work
 * is not counted. Credentials take turns, as those of many callers would.
 *
 * @throws when a token is still accepted after its logout
 */
export async function tokenCosts(rounds: number): Promise<Costs[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'navigator-bench-tokens-'));
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), log: () => undefined });
  try {
    const config = loadConfig(sections, { DATA_DIR: dataDir });
    const { source } = await connectDatabase(server.url, config.database, migrations);
    const policies = definePolicies(config);
    const callers = await callersOn(
      new TenantDb(source, config.database.statementTimeoutMs, policies.policy('postgres')),
    );
    await round(callers); // What runs first is slower: it is compiled meanwhile.
    const costs: Costs[] = [];
    for (let i = 0; i < rounds; i++) costs.push(await round(callers));
    await assertRevocationHolds(callers);
    policies.close();
    await source.destroy();
    return costs;
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
