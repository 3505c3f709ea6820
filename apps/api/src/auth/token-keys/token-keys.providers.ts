import type { Provider } from '@nestjs/common';
import { AuditLog } from '#libs/audit';
import { AccessTokens } from '#libs/auth';
import { TenantDb } from '#libs/database';
import { SealingKey } from '#libs/secrets';
import type { AuthConfig } from '../auth.config.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import type { TokenConfig } from './token-keys.config.js';
import { TokenKeysService } from './token-keys.service.js';

/** Needs `TenantDb`, `CONTROL_DB`, `SealingKey`, `AuditLog` and `VerifiedCredentials`. */
export function tokenKeyProviders(
  { keyRotationDays, keyPublishSeconds }: TokenConfig,
  { issuer, audience, accessTokenSeconds: lifetimeSeconds }: AuthConfig,
): Provider[] {
  return [
    {
      provide: TokenKeysService,
      inject: [TenantDb, 'CONTROL_DB', SealingKey, AuditLog, VerifiedCredentials],
      useFactory: (
        db: TenantDb,
        control: TenantDb,
        seal: SealingKey,
        audit: AuditLog,
        verified: VerifiedCredentials,
      ) => {
        const settings = {
          rotationDays: keyRotationDays,
          publishSeconds: keyPublishSeconds,
          lifetimeSeconds,
        };
        return new TokenKeysService(db, control, seal, audit, verified, settings).start();
      },
    },
    {
      provide: AccessTokens,
      inject: [TokenKeysService],
      useFactory: ({ keys }: TokenKeysService) =>
        new AccessTokens(keys, { issuer, audience, lifetimeSeconds }),
    },
  ];
}
