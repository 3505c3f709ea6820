import type { Provider, Type } from '@nestjs/common';
import { TenantDb } from '#libs/database';
import { SealingKey } from '#libs/secrets';
import { DirectoryController, TenantController, TenantsService } from '../../tenants/index.js';
import { InvitationsController } from '../invitations/invitations.controller.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { MAIL_PROVIDERS, MailOutbox, Mails } from '../mail/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordsService } from '../recovery/passwords.service.js';
import { RecoveryController } from '../recovery/recovery.controller.js';
import { SecondFactors } from '../totp/second-factors.js';
import { SecondStepService } from '../totp/second-step.service.js';
import { TotpController } from '../totp/totp.controller.js';
import { TotpService } from '../totp/totp.service.js';
import { type SignUpConfig, signUpSection } from './accounts.config.js';
import { Reauthentication } from './reauthentication.js';
import { SignUpController } from './sign-up.controller.js';
import { SignUpService } from './sign-up.service.js';
import { TenantsController } from './tenants.controller.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** How people come, prove who they are and go. */
export const PEOPLE_CONTROLLERS: Type[] = [
  UsersController,
  TenantsController,
  TenantController,
  DirectoryController,
  InvitationsController,
  SignUpController,
  RecoveryController,
  TotpController,
];

export const PEOPLE_PROVIDERS: Provider[] = [
  ...MAIL_PROVIDERS,
  {
    provide: SealingKey,
    useFactory: (dataDir: string) => SealingKey.loadOrCreate(dataDir),
    inject: ['DATA_DIR'],
  },
  {
    provide: SignUpService,
    useFactory: (
      db: TenantDb,
      tenants: TenantsService,
      passwords: PasswordHasher,
      outbox: MailOutbox,
      mails: Mails,
      config: SignUpConfig,
    ) => new SignUpService(db, tenants, passwords, outbox, mails, config),
    inject: [TenantDb, TenantsService, PasswordHasher, MailOutbox, Mails, signUpSection.token],
  },
  UsersService,
  InvitationsService,
  Reauthentication,
  PasswordsService,
  SecondFactors,
  SecondStepService,
  TotpService,
];
