import { Injectable } from '@nestjs/common';
import { ApiKeyNotFromHere, CredentialVerifier, type Principal } from '#libs/auth';
import { API_KEY_PREFIX } from './api-keys/api-key.js';
import { ApiKeysService, keyActor } from './api-keys/api-keys.service.js';
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

  override async verify(credential: string, address: string): Promise<Principal> {
    const principal = await this.verified.verify(credential, () =>
      credential.startsWith(API_KEY_PREFIX)
        ? this.apiKeys.verify(credential)
        : this.sessions.verify(credential),
    );
    // Not part of what is believed for a while: the same key may come from somewhere else the next time.
    if (principal.networks && !principal.networks.has(address))
      throw new ApiKeyNotFromHere(keyActor(principal));
    return principal;
  }
}
