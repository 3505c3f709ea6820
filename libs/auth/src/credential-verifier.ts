import type { Principal } from './principal.js';

/** Turns what stands behind `Bearer` into a principal. The product implements it, because it has the tables. */
export abstract class CredentialVerifier {
  /**
   * @param address from where it was presented
   * @throws AuthenticationFailed when it is no valid credential (any more), or not from there
   */
  abstract verify(credential: string, address: string): Promise<Principal>;
}
