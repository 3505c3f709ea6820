import type { Provider } from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { PolicyRegistry } from '#libs/resilience';
import { SealingKey } from '#libs/secrets';
import { ColleaguesService, TenantsService } from '../../tenants/index.js';
import { SessionService } from '../sessions/session.service.js';
import { SecondStepService } from '../totp/second-step.service.js';
import { VerifiedCredentials } from '../verified-credentials.js';
import { LoginStates } from './login-state.js';
import { type OidcConfig, oidcSection } from './oidc.config.js';
import { OidcProvider } from './oidc.provider.js';
import { SsoService } from './sso.service.js';

export const OIDC_PROVIDERS: Provider[] = [
  {
    provide: OidcProvider,
    inject: [oidcSection.token, PolicyRegistry],
    useFactory: (config: OidcConfig, policies: PolicyRegistry) =>
      new OidcProvider(config, policies.policy('oidc')),
  },
  {
    provide: LoginStates,
    inject: [SealingKey, oidcSection.token],
    useFactory: (sealing: SealingKey, { redirectUri }: OidcConfig) =>
      new LoginStates(sealing, { secure: redirectUri?.startsWith('https:') ?? true }),
  },
  {
    provide: SsoService,
    inject: [
      TenantDb,
      TenantsService,
      ColleaguesService,
      SessionService,
      VerifiedCredentials,
      OidcProvider,
      LoginStates,
      oidcSection.token,
      SecondStepService,
    ],
    useFactory: (
      db: TenantDb,
      tenants: TenantsService,
      colleagues: ColleaguesService,
      sessions: SessionService,
      verified: VerifiedCredentials,
      provider: OidcProvider,
      states: LoginStates,
      config: OidcConfig,
      second: SecondStepService,
    ) => new SsoService(db, tenants, colleagues, sessions, verified, provider, states, config, second),
  },
];
