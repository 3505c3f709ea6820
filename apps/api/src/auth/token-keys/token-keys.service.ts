import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditDetail, AuditLog, INSTALLATION, systemActor } from '#libs/audit';
import { newTokenKey, type Principal, type TokenKey, TokenKeys } from '#libs/auth';
import { TenantDb } from '#libs/database';
import type { SealingKey } from '#libs/secrets';
import { VerifiedCredentials } from '../verified-credentials.js';
import { TokenKeyNotFound, TokenKeyPending } from './token-keys.errors.js';
import {
  deleteOldTokenKeys,
  insertTokenKey,
  listTokenKeys,
  lockTokenKeys,
  retireTokenKeys,
  revokeTokenKey,
  signAtOnce,
  type StoredTokenKey,
} from './token-key.store.js';

export interface TokenKeySettings {
  rotationDays: number;
  publishSeconds: number;
  /** How long a token lives. */
  lifetimeSeconds: number;
}

/** A key that was revoked elsewhere is believed here for no longer than this. */
const LOOK_EVERY_MS = 5_000;
/** For the clocks, and for a replica that learns late that it should sign with another key. */
const SLACK_SECONDS = 60;
/** The program cannot answer without its keys, and nothing else does this work. */
const PROMPTLY = { timeoutMs: 2_000, priority: 'critical-plus' } as const;

/**
 * Keeps the keys of access tokens: in the database, where all replicas see them, each sealed with a key that is not
 * there. A new key is published before it signs; the old one verifies until the last of its tokens is over. Replicas
 * with another sealing key neither see nor disturb these.
 */
@Injectable()
export class TokenKeysService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly keys = new TokenKeys(() => this.load());
  private readonly logger = new Logger(TokenKeysService.name);
  private timer?: NodeJS.Timeout;
  private looking: Promise<void> = Promise.resolve();

  /** @param control reads past the policy of the database, because tokens are verified also while that is isolated */
  constructor(
    private readonly db: Pick<TenantDb, 'changeAsOperator'>,
    private readonly control: Pick<TenantDb, 'runAsOperator'>,
    private readonly seal: SealingKey,
    private readonly audit: AuditLog,
    private readonly verified: VerifiedCredentials,
    private readonly settings: TokenKeySettings,
  ) {}

  /** Before the first request; makes the first key of the installation. */
  async start(): Promise<this> {
    const keys = await this.read();
    if (!keys.some(({ state }) => state === 'signing')) await this.makeFirst();
    await this.load();
    return this;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.looking = this.upkeep()), LOOK_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  list(): Promise<StoredTokenKey[]> {
    return this.read();
  }

  /** @throws TokenKeyPending when one is published already and does not sign yet */
  async rotate({ tenantId }: Principal): Promise<StoredTokenKey[]> {
    await this.db.changeAsOperator(tenantId, async (tx) => {
      await lockTokenKeys(tx);
      const keys = await listTokenKeys(tx, this.seal.fingerprint);
      if (keys.some(({ state }) => state === 'published')) throw new TokenKeyPending();
      auditDetail(await this.succeed(tx));
    });
    await this.load();
    return this.read();
  }

  /**
   * Tokens that it signed are refused: at once here, within five seconds elsewhere. People refresh, and notice nothing.
   *
   * @throws TokenKeyNotFound
   */
  async revoke({ tenantId }: Principal, kid: string): Promise<void> {
    await this.db.changeAsOperator(tenantId, async (tx) => {
      await lockTokenKeys(tx);
      if (!(await revokeTokenKey(tx, this.seal.fingerprint, kid))) throw new TokenKeyNotFound();
      const replaced = await this.ensureSigning(tx);
      auditDetail({ targets: [{ type: 'token-key', id: kid }], detail: { replaced } });
    });
    await this.load();
  }

  /** Automatic exchange. Of all replicas that find it due, the first one does it. */
  async rotateIfDue(): Promise<boolean> {
    const { rotationDays } = this.settings;
    const isDue = (keys: StoredTokenKey[]) => {
      const newest = keys.find(({ state }) => state === 'signing' || state === 'published');
      return newest !== undefined && newest.signsInSeconds < -rotationDays * 86_400;
    };
    if (!isDue(await this.read())) return false;
    const rotated = await this.db.changeAsOperator(INSTALLATION, async (tx) => {
      await lockTokenKeys(tx);
      if (!isDue(await listTokenKeys(tx, this.seal.fingerprint))) return false;
      const { targets, detail } = await this.succeed(tx);
      await this.audit.append(tx, {
        action: 'token-key.rotate',
        category: 'system',
        actor: systemActor(INSTALLATION),
        targets,
        outcome: 'success',
        context: {},
        detail,
      });
      return true;
    });
    await this.load();
    return rotated;
  }

  private async makeFirst(): Promise<void> {
    await this.db.changeAsOperator(INSTALLATION, async (tx) => {
      await lockTokenKeys(tx);
      await this.ensureSigning(tx);
    });
  }

  /** Whether there was no key left to sign with, so that another one does it from now on. */
  private async ensureSigning(tx: EntityManager): Promise<boolean> {
    const keys = await listTokenKeys(tx, this.seal.fingerprint);
    if (keys.some(({ state, verifiesUntil }) => state === 'signing' && verifiesUntil === null)) return false;
    if (!(await signAtOnce(tx, this.seal.fingerprint))) await this.insert(tx, 0);
    return true;
  }

  private async succeed(tx: EntityManager) {
    const { publishSeconds, lifetimeSeconds } = this.settings;
    await deleteOldTokenKeys(tx);
    await retireTokenKeys(tx, this.seal.fingerprint, publishSeconds + lifetimeSeconds + SLACK_SECONDS);
    const kid = await this.insert(tx, publishSeconds);
    return { targets: [{ type: 'token-key', id: kid }], detail: { signs_in_seconds: publishSeconds } };
  }

  private async insert(tx: EntityManager, signsInSeconds: number): Promise<string> {
    const { kid, publicKey, privateKey } = await newTokenKey();
    const sealedPrivate = this.seal.seal(privateKey, purposeOf({ kid, publicKey }));
    await insertTokenKey(tx, {
      kid,
      publicKey,
      sealedBy: this.seal.fingerprint,
      sealedPrivate,
      signsInSeconds,
    });
    return kid;
  }

  private read(): Promise<StoredTokenKey[]> {
    return this.control.runAsOperator((tx) => listTokenKeys(tx, this.seal.fingerprint), PROMPTLY);
  }

  private async load(): Promise<void> {
    const stored = await this.read();
    const inForce = stored.filter(({ state }) => state !== 'revoked' && state !== 'ended');
    const gone = await this.keys.replace(inForce.map((key) => this.opened(key)));
    // What a revoked key has signed may be among what is still believed without a look.
    if (gone) this.verified.forget(({ via }) => via === 'session');
  }

  /** A row that somebody else wrote, or changed, does not open. @throws SealBroken */
  private opened({ kid, publicKey, sealedPrivate, ...times }: StoredTokenKey): TokenKey {
    const now = Date.now();
    return {
      kid,
      publicKey,
      privateKey: this.seal.open(sealedPrivate, purposeOf({ kid, publicKey })),
      signsFrom: now + times.signsInSeconds * 1_000,
      verifiesUntil: times.verifiesSeconds === null ? Infinity : now + times.verifiesSeconds * 1_000,
    };
  }

  /** Without the database the keys stay as they are. */
  private async upkeep(): Promise<void> {
    try {
      await this.load();
      await this.rotateIfDue();
    } catch (error) {
      this.logger.debug({ reason: (error as Error).name }, 'the token keys could not be looked at');
    }
  }
}

function purposeOf({ kid, publicKey }: { kid: string; publicKey: string }): string {
  return `token-key ${kid} ${publicKey}`;
}
