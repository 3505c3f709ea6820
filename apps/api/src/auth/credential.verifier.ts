import { Injectable } from '@nestjs/common';
import { CredentialVerifier, type Principal } from '#libs/auth';
import { API_KEY_PREFIX } from './api-keys/api-key.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { SessionService } from './sessions/session.service.js';
import { VerifiedCredentials } from './verified-credentials.js';

/** Access tokens and API keys. A revocation takes hold within five seconds everywhere (see `VerifiedCredentials`). */
@Injectable()
export class StoredCredentialVerifier extends CredentialVerifier {
  constructor(
    private readonly verified: VerifiedCredentials,
    private readonly sessions: SessionService,
    private readonly apiKeys: ApiKeysService,
  ) {
    super();
  }

  override verify(credential: string): Promise<Principal> {
    return this.verified.verify(credential, () =>
      credential.startsWith(API_KEY_PREFIX)
        ? this.apiKeys.verify(credential)
        : this.sessions.verify(credential),
    );
  }
}
