import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog, systemActor } from '#libs/audit';
import { TenantDb } from '#libs/database';
import { tenantIdOf, TenantsService } from '../tenants/index.js';
import type { BootstrapConfig } from './auth.config.js';
import { assertAcceptablePassword } from './passwords/password-policy.js';
import type { FirstPassword } from './passwords/first-password.js';
import { PasswordHasher } from './passwords/password-hasher.js';

/** To be shown to whoever starts the program. */
export interface BootstrapCredentials {
  email: string;
  password: string;
  /** False when the operator chose the password himself. */
  generated: boolean;
  /** Where a password that was made up stands until it is changed. */
  file?: string;
}

const TENANT_NAME = 'default';
/** 144 bits, 24 characters. */
const PASSWORD_BYTES = 18;

/** Makes the first tenant and its administrator on the very first start. */
@Injectable()
export class BootstrapService {
  constructor(
    private readonly db: TenantDb,
    private readonly tenants: TenantsService,
    private readonly passwords: PasswordHasher,
    private readonly audit: AuditLog,
    private readonly first: FirstPassword,
    private readonly config: BootstrapConfig,
  ) {}

  /**
   * Of all starts, and of all replicas that start together, exactly one gets credentials back. A password that is made
   * up stands in a file before the account does, and until the administrator has chosen another one.
   *
   * @throws PasswordRefused when the password in BOOTSTRAP_ADMIN_PASSWORD is too easy to guess
   */
  async bootstrap(): Promise<BootstrapCredentials | undefined> {
    const tenantId = tenantIdOf(TENANT_NAME);
    if (await this.tenants.exists(tenantId)) {
      await this.tidy();
      return undefined;
    }
    const { adminEmail: email, adminPassword } = this.config;
    const password = adminPassword ?? (await this.first.keep(newPassword()));
    assertAcceptablePassword(password, email);
    const passwordHash = await this.passwords.hash(password);
    const created = await this.db.run(tenantId, (tx) => this.create(tx, tenantId, email, passwordHash));
    if (!created) {
      await this.tidy();
      return undefined;
    }
    const generated = adminPassword === undefined;
    return { email, password, generated, ...(generated && { file: this.first.path }) };
  }

  /** What stands in the file is not his password any more, or never became it. */
  private async tidy(): Promise<void> {
    const password = await this.first.read();
    if (password === undefined) return;
    const user = await this.tenants.findLogin(this.config.adminEmail);
    if (!(await this.passwords.matches(user?.passwordHash, password))) await this.first.forget();
  }

  private async create(
    tx: EntityManager,
    tenantId: string,
    email: string,
    passwordHash: string,
  ): Promise<boolean> {
    if (!(await this.tenants.createTenant(tx, TENANT_NAME))) return false;
    const role = this.config.adminRole;
    const user = await this.tenants.createUser(tx, { tenantId, email, passwordHash, role });
    await this.audit.append(tx, {
      action: 'tenant.bootstrap',
      category: 'system',
      actor: systemActor(tenantId),
      targets: [
        { type: 'tenant', id: tenantId },
        { type: 'user', id: user.id },
      ],
      outcome: 'success',
      context: {},
      detail: { role },
    });
    return true;
  }
}

function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('base64url');
}
