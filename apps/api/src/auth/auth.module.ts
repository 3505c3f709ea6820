import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AuditLog } from '#libs/audit';
import { AccessTokens, AuthGuard, CredentialVerifier, PermissionGuard } from '#libs/auth';
import type { RedisConnection } from '#libs/cache';
import { isDatabaseUnreachable, TenantDb } from '#libs/database';
import { DeadlineExceeded } from '#libs/errors';
import { DegradationRegistry, PolicyRegistry } from '#libs/resilience';
import { SealingKey } from '#libs/secrets';
import { TenantsModule, TenantsService } from '../tenants/index.js';
import { Reauthentication } from './accounts/reauthentication.js';
import { UsersService } from './accounts/users.service.js';
import { MailOutbox, MailTransport } from './mail/index.js';
import { PEOPLE_CONTROLLERS, PEOPLE_PROVIDERS } from './accounts/people.providers.js';
import { ApiKeysController } from './api-keys/api-keys.controller.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import type { AuthConfig, BootstrapConfig } from './auth.config.js';
import { AuthController } from './auth.controller.js';
import { BootstrapService } from './bootstrap.service.js';
import { StoredCredentialVerifier } from './credential.verifier.js';
import { FirstPassword } from './passwords/first-password.js';
import { OidcController, SsoIdentitiesController } from './oidc/oidc.controller.js';
import { OIDC_PROVIDERS } from './oidc/oidc.providers.js';
import { LoginService } from './passwords/login.service.js';
import { type AttemptStore, ProcessAttempts } from './passwords/login-attempts.js';
import { LoginThrottle } from './passwords/login-throttle.js';
import { SharedAttempts } from './passwords/shared-attempts.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { ServiceAccountKeysController } from './service-accounts/service-account-keys.controller.js';
import { ServiceAccountsController } from './service-accounts/service-accounts.controller.js';
import { ServiceAccountsService } from './service-accounts/service-accounts.service.js';
import { SessionService } from './sessions/session.service.js';
import { SessionsController } from './sessions/sessions.controller.js';
import type { TokenConfig } from './token-keys/token-keys.config.js';
import { JsonWebKeysController, TokenKeysController } from './token-keys/token-keys.controller.js';
import { tokenKeyProviders } from './token-keys/token-keys.providers.js';
import { type OutageGrace, VerifiedCredentials } from './verified-credentials.js';

export interface AuthModuleOptions {
  auth: AuthConfig;
  bootstrap: BootstrapConfig;
  tokens: TokenConfig;
}

/** Who is asking: logins, sessions, API keys, and the verifier that the global guards use. */
@Global()
@Module({})
export class AuthModule {
  /** Needs global `TenantDb`, `AuditLog`, `PolicyRegistry`, `DegradationRegistry` and `DATA_DIR`. */
  static register({ auth, bootstrap, tokens }: AuthModuleOptions): DynamicModule {
    return {
      module: AuthModule,
      imports: [TenantsModule],
      controllers: [
        AuthController,
        ApiKeysController,
        JsonWebKeysController,
        OidcController,
        SsoIdentitiesController,
        ServiceAccountKeysController,
        ServiceAccountsController,
        SessionsController,
        TokenKeysController,
        ...PEOPLE_CONTROLLERS,
      ],
      providers: [
        ...tokenKeyProviders(tokens, auth),
        ...OIDC_PROVIDERS,
        {
          provide: PasswordHasher,
          useFactory: (policies: PolicyRegistry) =>
            PasswordHasher.create(hashParameters(auth), policies.policy('password-hashing')),
          inject: [PolicyRegistry],
        },
        {
          provide: LoginThrottle,
          useFactory: (policies: PolicyRegistry, sealing: SealingKey, sharedCounts: RedisConnection | null) =>
            new LoginThrottle(loginLimits(auth), attemptStore(policies, sealing, sharedCounts)),
          inject: [PolicyRegistry, SealingKey, 'SHARED_COUNTS'],
        },
        {
          provide: VerifiedCredentials,
          useFactory: (capabilities: DegradationRegistry) =>
            new VerifiedCredentials(outageGrace(auth, capabilities)),
          inject: [DegradationRegistry],
        },
        {
          provide: SessionService,
          useFactory: (
            db: TenantDb,
            tenants: TenantsService,
            tokens: AccessTokens,
            verified: VerifiedCredentials,
          ) => new SessionService(db, tenants, tokens, verified, auth),
          inject: [TenantDb, TenantsService, AccessTokens, VerifiedCredentials],
        },
        {
          provide: BootstrapService,
          useFactory: (
            db: TenantDb,
            tenants: TenantsService,
            passwords: PasswordHasher,
            audit: AuditLog,
            dataDir: string,
          ) => new BootstrapService(db, tenants, passwords, audit, FirstPassword.in(dataDir), bootstrap),
          inject: [TenantDb, TenantsService, PasswordHasher, AuditLog, 'DATA_DIR'],
        },
        ...PEOPLE_PROVIDERS,
        LoginService,
        ApiKeysService,
        ServiceAccountsService,
        { provide: CredentialVerifier, useClass: StoredCredentialVerifier },
        AuthGuard,
        PermissionGuard,
      ],
      exports: [
        CredentialVerifier,
        AuthGuard,
        PermissionGuard,
        BootstrapService,
        Reauthentication,
        UsersService,
        MailOutbox,
        MailTransport,
      ],
    };
  }
}

function hashParameters({ passwordMemoryKib, passwordPasses, passwordParallelism }: AuthConfig) {
  return { memoryKib: passwordMemoryKib, passes: passwordPasses, parallelism: passwordParallelism };
}

function attemptStore(
  policies: PolicyRegistry,
  { fingerprint }: SealingKey,
  sharedCounts: RedisConnection | null,
): AttemptStore {
  const local = new ProcessAttempts();
  if (!sharedCounts) return local;
  return new SharedAttempts(sharedCounts, policies.policy('quota-store'), local, fingerprint);
}

function loginLimits({ loginsPerMinute, networkLoginsPerMinute }: AuthConfig) {
  return { perAccount: loginsPerMinute, perNetwork: networkLoginsPerMinute };
}

function outageGrace({ outageGraceSeconds }: AuthConfig, capabilities: DegradationRegistry): OutageGrace {
  return {
    graceMs: outageGraceSeconds * 1_000,
    // A look that had no end in its time says no more about the credential than one that could not begin.
    isOutage: (error) => isDatabaseUnreachable(error) || error instanceof DeadlineExceeded,
    onGrace() {
      capabilities.get('auth.verify').observe('degraded', 'database-unreachable', 'verified-before');
    },
  };
}
