import { randomUUID } from 'node:crypto';
import { type CryptoKey, errors, jwtVerify, SignJWT } from 'jose';
import { type AuthenticationFailed, TokenExpired, TokenInvalid } from '../auth.errors.js';
import { type Role, ROLES } from '../principal.js';
import { TOKEN_ALGORITHM, TOKEN_TYPE, tokenHeader, TokenKeys } from './token-keys.js';

export interface AccessTokenSettings {
  issuer: string;
  audience: string;
  lifetimeSeconds: number;
}

export interface AccessClaims {
  tenantId: string;
  userId: string;
  sessionId: string;
  role: Role;
}

const LONGEST_TOKEN = 4_096;
/** Between the clocks of two of our machines. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A client that comes back after its lunch is everyday life; a token of yesterday is worth a record. */
const EVERYDAY_EXPIRY_MS = 3_600_000;
/** RFC 9068 wants to know for which client a token was made; there are only our own. */
const CLIENT = 'first-party';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Issues and checks access tokens: short-lived JWTs signed with Ed25519 (RFC 8725, RFC 9068). */
export class AccessTokens {
  constructor(
    private readonly keys: TokenKeys,
    private readonly settings: AccessTokenSettings,
    private readonly now: () => Date = () => new Date(),
  ) {}

  issue({ tenantId, userId, sessionId, role }: AccessClaims): Promise<string> {
    const issuedAt = Math.floor(this.now().getTime() / 1_000);
    const { kid, key } = this.keys.signing;
    return new SignJWT({ tid: tenantId, sid: sessionId, role, client_id: CLIENT, jti: randomUUID() })
      .setProtectedHeader(tokenHeader(kid))
      .setIssuer(this.settings.issuer)
      .setAudience(this.settings.audience)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + this.settings.lifetimeSeconds)
      .sign(key);
  }

  /**
   * Checks form, signature, type, issuer, audience and times; whether the session still lives is not in the token.
   *
   * @throws TokenExpired when that is all that is wrong with it
   * @throws TokenInvalid
   */
  async verify(token: string): Promise<AccessClaims & { expiresAt: Date }> {
    const key = await this.keyFor(token);
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [TOKEN_ALGORITHM],
        typ: TOKEN_TYPE,
        issuer: this.settings.issuer,
        audience: this.settings.audience,
        requiredClaims: ['sub', 'tid', 'sid', 'role', 'exp', 'iat', 'nbf', 'jti'],
        // Also refuses a token that claims to be issued in the future.
        maxTokenAge: this.settings.lifetimeSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: this.now(),
      });
      return claimsOf(payload);
    } catch (error) {
      // jose compares times last, after signature, type, issuer and audience.
      if (error instanceof errors.JWTExpired) throw this.expired(error);
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        throw new TokenInvalid({ cause: error });
      throw error;
    }
  }

  /** Before any of it is decoded: three parts, each written in the one way there is, the first by us. */
  private async keyFor(token: string): Promise<CryptoKey> {
    if (token.length > LONGEST_TOKEN) throw new TokenInvalid();
    const [header, payload, signature, ...more] = token.split('.');
    if (!header || !payload || !signature || more.length > 0) throw new TokenInvalid();
    if (!isCanonical(payload) || !isCanonical(signature)) throw new TokenInvalid();
    const key = await this.keys.findByHeader(header);
    if (!key) throw new TokenInvalid();
    return key;
  }

  /** Also jose's error for one that is older than ours get, whatever it says about its end: that one is not ours. */
  private expired({ claim, payload }: errors.JWTExpired): AuthenticationFailed {
    if (claim !== 'exp') return new TokenInvalid();
    const endedAt = Number(payload.exp) * 1_000;
    return new TokenExpired({ suspicious: !(this.now().getTime() - endedAt < EVERYDAY_EXPIRY_MS) });
  }
}

/** The same bytes can be written in base64url with other left-over bits, which would be another token of the same worth. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function claimsOf({ sub, tid, sid, role, exp }: Record<string, unknown>): AccessClaims & { expiresAt: Date } {
  if (!isUuid(sub) || !isUuid(tid) || !isUuid(sid) || !ROLES.includes(role as Role)) throw new TokenInvalid();
  return {
    tenantId: tid,
    userId: sub,
    sessionId: sid,
    role: role as Role,
    expiresAt: new Date((exp as number) * 1_000),
  };
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
