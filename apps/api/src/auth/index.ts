export { AuthModule, type AuthModuleOptions } from './auth.module.js';
export { authSection, bootstrapSection, type AuthConfig, type BootstrapConfig } from './auth.config.js';
export { oidcSection, type OidcConfig } from './oidc/oidc.config.js';
export { tokenSection } from './token-keys/token-keys.config.js';
export { BootstrapService, type BootstrapCredentials } from './bootstrap.service.js';
export { signUpSection } from './accounts/accounts.config.js';
export { MailOutbox, mailSection, MailTransport } from './mail/index.js';
export { Reauthentication } from './accounts/reauthentication.js';
export { UsersService } from './accounts/users.service.js';
