import { randomBytes, randomUUID } from 'node:crypto';
import { AuditLog, INSTALLATION } from '#libs/audit';
import { AccessTokens, type Principal } from '#libs/auth';
import { SealingKey } from '#libs/secrets';
import { TokenKeysService } from '../../apps/api/src/auth/token-keys/token-keys.service.js';
import { VerifiedCredentials } from '../../apps/api/src/auth/verified-credentials.js';
import { personalData } from '../support/audit-world.js';
import { code } from '../support/identity-world.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

const settings = { rotationDays: 30, publishSeconds: 600, lifetimeSeconds: 600 };
const claims = {
  tenantId: randomUUID(),
  userId: randomUUID(),
  sessionId: randomUUID(),
  role: 'member',
} as const;

describe('the keys of access tokens on a real database', () => {
  let db: TestDatabase;
  let operator: Principal;
  const seal = new SealingKey(randomBytes(32));

  beforeAll(async () => {
    db = await testDatabase();
    const { tenantId, userId } = await db.createTenant();
    operator = { tenantId, userId, role: 'operator', via: 'session', credentialId: randomUUID() };
  });
  afterAll(() => db?.close());
  beforeEach(() => db.owner.query('truncate token_key'));

  async function replica({ sealedWith = seal, verified = new VerifiedCredentials(), ...changed } = {}) {
    const audit = new AuditLog(db.tenantDb, undefined as never, personalData());
    const service = new TokenKeysService(db.tenantDb, db.tenantDb, sealedWith, audit, verified, {
      ...settings,
      ...changed,
    });
    await service.start();
    const tokens = new AccessTokens(service.keys, { issuer: 'i', audience: 'a', lifetimeSeconds: 600 });
    return { service, tokens };
  }
  const states = async ({ service }: { service: TokenKeysService }) =>
    (await service.list()).map(({ state }) => state);
  /** As if so much time had gone by since every key was made. */
  const age = (interval: string) =>
    db.owner.query(
      `update token_key set created_at = created_at - $1::interval, signs_from = signs_from - $1::interval,
         verifies_until = verifies_until - $1::interval`,
      [interval],
    );

  it('are made once by replicas that start together, and hold in all of them', async () => {
    const replicas = await Promise.all(Array.from({ length: 8 }, () => replica()));
    expect(new Set(replicas.map(({ service }) => service.keys.signing.kid)).size).toBe(1);
    const token = await replicas[0]!.tokens.issue(claims);
    for (const { tokens } of replicas) await expect(tokens.verify(token)).resolves.toMatchObject(claims);
  });

  it('are in the database sealed only, and no row that we did not write is believed', async () => {
    const { service } = await replica();
    const { rows } = await db.owner.query('select * from token_key');
    expect(rows).toHaveLength(1);
    const { kid } = service.keys.signing;
    expect(seal.open(rows[0].sealed_private, `token-key ${kid} ${rows[0].public_key}`)).toMatch(
      /^[\w-]{43}$/,
    );
    // Somebody who can write to the database puts a key of his own in the place of ours.
    await db.owner.query('update token_key set public_key = $1', [randomBytes(32).toString('base64url')]);
    await expect(replica()).rejects.toThrow('cannot be opened');
  });

  it('are published first, sign then, and verify until the last of their tokens is over', async () => {
    const [a, b] = [await replica(), await replica()];
    const old = a.service.keys.signing.kid;
    const before = await a.tokens.issue(claims);
    const keys = await a.service.rotate(operator);
    expect(keys.map(({ state }) => state)).toEqual(['published', 'signing']);
    expect(a.service.keys.jwks().keys.map(({ kid }) => kid)).toEqual([keys[0]!.kid, old]);
    expect(a.service.keys.signing.kid).toBe(old);
    expect(await code(b.service.rotate(operator))).toBe('token-key-pending');

    await age('601 seconds');
    const c = await replica();
    expect(await states(c)).toEqual(['signing', 'verifying']);
    expect(c.service.keys.signing.kid).toBe(keys[0]!.kid);
    await expect(c.tokens.verify(before)).resolves.toMatchObject(claims);

    // One that has not heard of the new key looks for it when it sees it.
    const after = await c.tokens.issue(claims);
    await expect(a.tokens.verify(after)).resolves.toMatchObject(claims);

    await age('700 seconds');
    const d = await replica();
    expect(await states(d)).toEqual(['signing', 'ended']);
    expect(await code(d.tokens.verify(before))).toBe('token-invalid');
  });

  it('are exchanged by themselves when they are old, by one of all replicas, with a record', async () => {
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const rotateAll = () => Promise.all(replicas.map(({ service }) => service.rotateIfDue()));
    expect(await rotateAll()).toEqual([false, false, false]);
    await age('30 days 1 second');
    expect((await rotateAll()).filter(Boolean)).toHaveLength(1);
    expect(await states(replicas[0]!)).toEqual(['published', 'signing']);
    expect(await rotateAll()).toEqual([false, false, false]);
    const { rows } = await db.owner.query(
      `select action, actor_type from audit_event where tenant_id = $1 and action = 'token-key.rotate'`,
      [INSTALLATION],
    );
    expect(rows).toEqual([{ action: 'token-key.rotate', actor_type: 'system' }]);
  });

  it('end at once when they are revoked, and another one signs', async () => {
    const verified = new VerifiedCredentials();
    const a = await replica({ verified });
    const { kid } = a.service.keys.signing;
    const token = await a.tokens.issue(claims);
    const look = async () => {
      await a.tokens.verify(token);
      return { principal: operator, expiresAt: new Date(Date.now() + 60_000) };
    };
    await verified.verify(token, look);
    await a.service.revoke(operator, kid);
    expect(await code(verified.verify(token, look))).toBe('token-invalid');
    expect(a.service.keys.signing.kid).not.toBe(kid);
    await expect(a.tokens.verify(await a.tokens.issue(claims))).resolves.toMatchObject(claims);
    expect(await states(a)).toEqual(['signing', 'revoked']);
    expect(await code(a.service.revoke(operator, kid))).toBe('token-key-not-found');
    expect(await code(a.service.revoke(operator, 'x'.repeat(43)))).toBe('token-key-not-found');
  });

  it('never lack one that will sign, whichever of them is revoked', async () => {
    const a = await replica();
    const [next, current] = await a.service.rotate(operator);
    await a.service.revoke(operator, next!.kid);
    expect(a.service.keys.signing.kid).not.toBe(current!.kid);
    const [later] = await a.service.rotate(operator);
    await a.service.revoke(operator, a.service.keys.signing.kid);
    expect(a.service.keys.signing.kid).toBe(later!.kid);
    expect((await a.service.list()).filter(({ state }) => state === 'signing')).toHaveLength(1);
  });

  it('of another sealing key are left alone', async () => {
    const a = await replica();
    const stranger = await replica({ sealedWith: new SealingKey(randomBytes(32)) });
    expect(stranger.service.keys.signing.kid).not.toBe(a.service.keys.signing.kid);
    expect(await code(stranger.tokens.verify(await a.tokens.issue(claims)))).toBe('token-invalid');
    expect(await states(a)).toEqual(['signing']);
  });

  it('are nobody’s who only has a tenant', async () => {
    await replica();
    const seen = await db.tenantDb.read(operator.tenantId, (tx) => tx.query('select kid from token_key'));
    expect(seen).toEqual([]);
  });
});
