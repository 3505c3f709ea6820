import { Injectable, Logger } from '@nestjs/common';
import { auditDetail } from '#libs/audit';
import { ApiKeyInvalid, type Principal, SessionRequired } from '#libs/auth';
import { TenantDb, type TransactionOptions } from '#libs/database';
import { IdempotentResponseNotKept, newResourceId } from '#libs/http';
import { TenantsService, type User } from '../../tenants/index.js';
import { TooManyApiKeys } from '../auth.errors.js';
import { withinVerificationLimits } from '../verification-limits.js';
import { type Verified, VerifiedCredentials } from '../verified-credentials.js';
import { type ApiKey, formatApiKey, hashOfSecret, newApiKey, parseApiKey, secretMatches } from './api-key.js';
import {
  countApiKeys,
  findApiKey,
  insertApiKey,
  listApiKeys,
  type PresentedApiKey,
  revokeApiKey,
  type StoredApiKey,
  touchApiKey,
} from './api-key.store.js';

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
  async create(principal: Principal, name: string, days: number): Promise<StoredApiKey & { key: string }> {
    const { tenantId, userId } = principal;
    assertSession(principal);
    const key = newApiKey();
    const secretHash = hashOfSecret(key.secret);
    const stored = await this.db.change(tenantId, async (tx) => {
      if ((await countApiKeys(tx, tenantId, userId)) >= MOST_KEYS) throw new TooManyApiKeys(MOST_KEYS);
      const id = newResourceId();
      auditDetail({ targets: [{ type: 'api-key', id }], detail: { days } });
      const row = { tenantId, id, userId, publicId: key.publicId, secretHash, name, days };
      const inserted = await insertApiKey(tx, row);
      // The request was done before; its key was shown then, or was lost with the answer.
      if (!inserted) throw new IdempotentResponseNotKept();
      return inserted;
    });
    return { ...stored, key: formatApiKey(key) };
  }

  /** The caller's own keys, the newest first: those before `beforeId`, `limit` at most. */
  list({ tenantId, userId }: Principal, page: { beforeId?: string; limit: number }): Promise<StoredApiKey[]> {
    return this.db.read(tenantId, (tx) => listApiKeys(tx, { tenantId, userId, ...page }));
  }

  /** One that does not exist, or is somebody else's, is as revoked as it can be. */
  async revoke(principal: Principal, id: string): Promise<void> {
    const { tenantId, userId } = principal;
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
      throw new ApiKeyInvalid({ type: 'api-key', tenantId, id: userId, role: user?.role, credentialId: id });
    if (key.unnoted) this.touch(tenantId, id);
    const principal = { tenantId, userId, role: user.role, via: 'api-key', credentialId: id } as const;
    return { principal, expiresAt: key.expiresAt };
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

/** Or a stolen key could make others, which would outlive it. */
function assertSession({ via }: Principal): void {
  if (via !== 'session') throw new SessionRequired();
}
