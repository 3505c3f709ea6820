import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditActor, auditDetail } from '#libs/audit';
import {
  ApiKeyInvalid,
  type Permission,
  type Principal,
  type Role,
  roleAllows,
  SessionRequired,
} from '#libs/auth';
import { TenantDb, type TransactionOptions } from '#libs/database';
import { IdempotentResponseNotKept, newResourceId } from '#libs/http';
import { TenantsService, type User } from '../../tenants/index.js';
import { TooManyApiKeys } from '../auth.errors.js';
import { ApiKeyNotFound, ApiKeyReplaced, ScopesNotHeld } from './api-keys.errors.js';
import { allowedNetworks } from './allowed-networks.js';
import { withinVerificationLimits } from '../verification-limits.js';
import { type Verified, VerifiedCredentials } from '../verified-credentials.js';
import { type ApiKey, formatApiKey, hashOfSecret, newApiKey, parseApiKey, secretMatches } from './api-key.js';
import {
  countApiKeys,
  findApiKey,
  insertApiKey,
  type KeyLimits,
  listApiKeys,
  lockApiKey,
  type PresentedApiKey,
  replaceApiKey,
  revokeApiKey,
  type StoredApiKey,
  touchApiKey,
} from './api-key.store.js';

export type NewApiKey = StoredApiKey & { key: string };
/** Whose key it is: the caller, or the program that he administers. */
export type KeyOwner = Pick<Principal, 'tenantId' | 'userId' | 'role'>;

interface KeyLimitsAsked {
  scopes: Permission[];
  networks: string[];
}

/** Enough for every machine somebody has; a limit, because everything has one. */
const MOST_KEYS = 100;

/** Keys for programs: they act as the user who made them, with his role of the moment, until they end. */
@Injectable()
export class ApiKeysService {
  private readonly logger = new Logger(ApiKeysService.name);

  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly verified: VerifiedCredentials,
  ) {}

  /** Returns the key itself as well: this is the only time that anybody has it. */
  async create(
    principal: Principal,
    name: string,
    days: number,
    { scopes, networks, owner = principal }: Partial<KeyLimitsAsked> & { owner?: KeyOwner } = {},
  ): Promise<NewApiKey> {
    assertSession(principal);
    assertHeld(scopes, owner.role);
    const key = newApiKey();
    const limits = { scopes: scopes ?? null, networks: networks ?? null };
    const stored = await this.db.change(owner.tenantId, (tx) =>
      this.insert(tx, owner, key, { name, days, ...limits }),
    );
    return { ...stored, key: formatApiKey(key) };
  }

  /**
   * A new key of the same limits and lifetime, good at once; the old one stays good for the overlap.
   *
   * @throws ApiKeyNotFound unless the old one is valid
   * @throws ApiKeyReplaced
   */
  async rotate(
    principal: Principal,
    id: string,
    overlapSeconds: number,
    owner: KeyOwner = principal,
  ): Promise<NewApiKey> {
    const { tenantId, userId } = owner;
    assertSession(principal);
    const key = newApiKey();
    const stored = await this.db.change(tenantId, async (tx) => {
      const old = await lockApiKey(tx, { tenantId, userId, id });
      if (!old) throw new ApiKeyNotFound();
      if (old.replacedBy === newResourceId()) throw new IdempotentResponseNotKept();
      if (old.replacedBy) throw new ApiKeyReplaced();
      const inserted = await this.insert(tx, owner, key, { ...old, days: lifetimeDays(old) });
      await replaceApiKey(tx, { tenantId, id, replacedBy: inserted.id, overlapSeconds });
      auditDetail({ targets: [{ type: 'api-key', id }], detail: { overlap_seconds: overlapSeconds } });
      return inserted;
    });
    this.verified.forget((known) => known.credentialId === id && known.tenantId === tenantId);
    return { ...stored, key: formatApiKey(key) };
  }

  /** The caller's own keys, the newest first: those before `beforeId`, `limit` at most. */
  list(
    { tenantId, userId }: Pick<KeyOwner, 'tenantId' | 'userId'>,
    page: { beforeId?: string; limit: number },
  ): Promise<StoredApiKey[]> {
    return this.db.read(tenantId, (tx) => listApiKeys(tx, { tenantId, userId, ...page }));
  }

  /** One that does not exist, or is somebody else's, is as revoked as it can be. */
  async revoke(principal: Principal, id: string, owner: Omit<KeyOwner, 'role'> = principal): Promise<void> {
    const { tenantId, userId } = owner;
    assertSession(principal);
    await this.db.change(tenantId, async (tx) => {
      const revoked = await revokeApiKey(tx, { tenantId, userId, id });
      auditDetail({ targets: [{ type: 'api-key', id }], detail: { revoked } });
    });
    this.verified.forget((known) => known.credentialId === id && known.tenantId === tenantId);
  }

  /** @throws ApiKeyInvalid whatever is wrong with it */
  async verify(text: string): Promise<Verified> {
    const presented = parseApiKey(text);
    if (!presented) throw new ApiKeyInvalid();
    const { key, user } = await withinVerificationLimits((limits) => this.look(presented, limits));
    const { tenantId, userId, id } = key;
    if (!key.valid || !user || user.disabled)
      throw new ApiKeyInvalid(keyActor({ tenantId, userId, role: user?.role, credentialId: id }));
    if (key.unnoted) this.touch(tenantId, id);
    const principal: Principal = {
      tenantId,
      userId,
      role: user.role,
      via: 'api-key',
      credentialId: id,
      ...(key.scopes && { scopes: key.scopes }),
      ...(key.networks && { networks: allowedNetworks(key.networks) }),
      ...(user.quotaFactor && { quotaFactor: user.quotaFactor }),
    };
    return { principal, expiresAt: key.expiresAt };
  }

  private async insert(
    tx: EntityManager,
    { tenantId, userId }: KeyOwner,
    { publicId, secret }: ApiKey,
    { name, days, scopes, networks }: { name: string; days: number } & KeyLimits,
  ): Promise<StoredApiKey> {
    if ((await countApiKeys(tx, tenantId, userId)) >= MOST_KEYS) throw new TooManyApiKeys(MOST_KEYS);
    const id = newResourceId();
    auditDetail({
      targets: [{ type: 'api-key', id }],
      detail: { days, scopes: scopes ?? undefined, networks: networks?.length },
    });
    const secretHash = hashOfSecret(secret);
    const row = { tenantId, id, userId, publicId, secretHash, name, days, scopes, networks };
    const inserted = await insertApiKey(tx, row);
    // The request was done before; its key was shown then, or was lost with the answer.
    if (!inserted) throw new IdempotentResponseNotKept();
    return inserted;
  }

  private async look(
    presented: ApiKey,
    limits: TransactionOptions,
  ): Promise<{ key: PresentedApiKey; user?: User }> {
    const key = await this.db.findByCredential(
      presented.publicId,
      (tx) => findApiKey(tx, presented.publicId),
      limits,
    );
    // Without the secret nobody is this key's owner, so a wrong one is not held against him.
    if (!key || !secretMatches(presented.secret, key.secretHash)) throw new ApiKeyInvalid();
    const { tenantId, userId } = key;
    return {
      key,
      user: await this.db.read(tenantId, (tx) => this.tenants.findUser(tx, tenantId, userId), limits),
    };
  }

  /** Nobody waits for it: a key is good also while the database takes no writes. */
  private touch(tenantId: string, id: string): void {
    this.db.runStatements(tenantId, [touchApiKey(tenantId, id)]).catch((error: unknown) => {
      this.logger.warn({ reason: (error as Error).name }, 'the use of an API key was not noted');
    });
  }
}

/** As whom a key acts, in the audit log. */
export function keyActor({
  tenantId,
  userId,
  role,
  credentialId,
}: Pick<Principal, 'tenantId' | 'userId' | 'credentialId'> & { role?: Role }): AuditActor {
  return { type: 'api-key', tenantId, id: userId, role, credentialId };
}

/** A scope that the role does not have would be in force by surprise on the day that the role gets it. */
function assertHeld(scopes: readonly Permission[] | undefined, role: Role): void {
  const missing = (scopes ?? []).filter((scope) => !roleAllows(role, scope));
  if (missing.length > 0) throw new ScopesNotHeld(missing);
}

const DAY_MS = 86_400_000;

/** Before a rotation cut it short, which happens once. */
function lifetimeDays({ createdAt, expiresAt }: StoredApiKey): number {
  return Math.max(1, Math.round((expiresAt.getTime() - createdAt.getTime()) / DAY_MS));
}

/** Or a stolen key could make others, which would outlive it. */
function assertSession({ via }: Principal): void {
  if (via !== 'session') throw new SessionRequired();
}
