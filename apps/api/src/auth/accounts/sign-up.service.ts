import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { auditActor, auditDetail, INSTALLATION } from '#libs/audit';
import { TenantDb, uuidv7 } from '#libs/database';
import { normalEmail, TenantExists, TenantsService, type User } from '../../tenants/index.js';
import { MailOutbox, Mails } from '../mail/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { assertAcceptablePassword } from '../passwords/password-policy.js';
import { OneTimeTokenInvalid, SignUpOff } from './accounts.errors.js';
import type { SignUpConfig } from './accounts.config.js';
import { digestOfToken, newOneTimeToken } from './one-time-token.js';

const LIFE_SECONDS = 3_600;
/** Mails to one address; more would only annoy whoever gets them. */
const MOST_AN_HOUR = 3;

export interface NewAccount {
  token: string;
  password: string;
  tenantName: string;
}

/**
 * Joining without an invitation, where the installation allows it: whoever shows that an address is his gets a tenant of
 * his own and runs it. Until then there is neither a tenant nor a password.
 */
@Injectable()
export class SignUpService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly outbox: MailOutbox,
    private readonly mails: Mails,
    private readonly config: SignUpConfig,
  ) {}

  /** Sends a mail in any case, which says what the answer does not: whether the address is known. @throws SignUpOff */
  async request(address: string): Promise<void> {
    this.assertOn();
    const email = normalEmail(address);
    const isKnown = (await this.tenants.findLogin(email)) !== undefined;
    const token = newOneTimeToken();
    await this.db.change(INSTALLATION, async (tx) => {
      await tx.query(`delete from sign_up where tenant_id = $1 and expires_at < now()`, [INSTALLATION]);
      if (await hasTooMany(tx, email)) return;
      await insertSignUp(tx, email, digestOfToken(token));
      const mail = isKnown
        ? this.mails.signUpOfKnown(email)
        : this.mails.signUp(email, { token, lifeSeconds: LIFE_SECONDS });
      await this.outbox.add(tx, INSTALLATION, mail, LIFE_SECONDS);
    });
  }

  /**
   * The sign-up's id becomes the tenant's, so that a token makes one tenant, however often it is presented.
   *
   * @throws SignUpOff, OneTimeTokenInvalid, PasswordRefused, TenantExists, AddressTaken, LoginBusy
   */
  async complete({ token, password, tenantName }: NewAccount): Promise<User> {
    this.assertOn();
    const tokenHash = digestOfToken(token);
    const pending = await this.db.findByCredential(tokenHash, (tx) => findSignUp(tx, tokenHash));
    if (!pending) throw new OneTimeTokenInvalid();
    const { id: tenantId, email } = pending;
    assertAcceptablePassword(password, email);
    const passwordHash = await this.passwords.hash(password);
    if (await this.tenants.exists(tenantId)) throw new OneTimeTokenInvalid();
    const user = await this.db.change(tenantId, async (tx) => {
      if (!(await this.tenants.createTenant(tx, tenantName, tenantId))) throw new TenantExists();
      const created = await this.tenants.createUser(tx, { tenantId, email, passwordHash, role: 'admin' });
      auditActor({ type: 'user', tenantId, id: created.id, role: created.role });
      auditDetail({
        targets: [
          { type: 'tenant', id: tenantId },
          { type: 'user', id: created.id },
        ],
      });
      return created;
    });
    await this.db.run(INSTALLATION, (tx) =>
      tx.query(`delete from sign_up where tenant_id = $1 and email = $2`, [INSTALLATION, email]),
    );
    return user;
  }

  private assertOn(): void {
    if (this.config.signup === 'off') throw new SignUpOff();
  }
}

/** All who ask for one address take turns until their commit. */
async function hasTooMany(tx: EntityManager, email: string): Promise<boolean> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('sign_up'), hashtext($1))`, [email]);
  const [row] = await tx.query<{ count: number }[]>(
    `select count(*)::int as count from sign_up where tenant_id = $1 and email = $2`,
    [INSTALLATION, email],
  );
  return row!.count >= MOST_AN_HOUR;
}

async function insertSignUp(tx: EntityManager, email: string, tokenHash: string): Promise<void> {
  await tx.query(
    `insert into sign_up (tenant_id, id, email, token_hash, expires_at)
     values ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
    [INSTALLATION, uuidv7(), email, tokenHash, LIFE_SECONDS],
  );
}

/** Inside `findByCredential(tokenHash)`. */
async function findSignUp(
  tx: EntityManager,
  tokenHash: string,
): Promise<{ id: string; email: string } | undefined> {
  const [row] = await tx.query<{ id: string; email: string }[]>(
    `select id, email from sign_up where token_hash = $1 and expires_at > now()`,
    [tokenHash],
  );
  return row;
}
