import type { Principal } from './principal.js';

/** Turns what stands behind `Bearer` into a principal. The product implements it, because it has the tables. */
export abstract class CredentialVerifier {
  /** @throws AuthenticationFailed when it is no valid credential (any more) */
  abstract verify(credential: string): Promise<Principal>;
}
