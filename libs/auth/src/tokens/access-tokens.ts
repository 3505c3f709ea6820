import { errors, jwtVerify, SignJWT } from 'jose';
import { TokenExpired, TokenInvalid } from '../auth.errors.js';
import { type Role, ROLES } from '../principal.js';
import { TOKEN_ALGORITHM, TokenKeys } from './token-keys.js';

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

/** RFC 9068. A token of any other kind that our keys may sign one day is not taken for an access token. */
const TYPE = 'at+jwt';
const LONGEST_TOKEN = 4_096;
/** Between the clocks of two of our machines. */
const CLOCK_TOLERANCE_SECONDS = 5;
const HEADER_MEMBERS = new Set(['alg', 'typ', 'kid']);
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
    return new SignJWT({ tid: tenantId, sid: sessionId, role })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: TYPE, kid: this.keys.signing.kid })
      .setIssuer(this.settings.issuer)
      .setAudience(this.settings.audience)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + this.settings.lifetimeSeconds)
      .sign(this.keys.signing.key);
  }

  /**
   * Checks signature, type, issuer, audience and times; whether the session still lives is not in the token.
   *
   * @throws TokenExpired when that is all that is wrong with it
   * @throws TokenInvalid
   */
  async verify(token: string): Promise<AccessClaims & { expiresAt: Date }> {
    if (token.length > LONGEST_TOKEN) throw new TokenInvalid();
    try {
      const { payload, protectedHeader } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        algorithms: [TOKEN_ALGORITHM],
        typ: TYPE,
        issuer: this.settings.issuer,
        audience: this.settings.audience,
        requiredClaims: ['sub', 'tid', 'sid', 'role', 'exp', 'iat', 'nbf'],
        // Also refuses a token that claims to be issued in the future.
        maxTokenAge: this.settings.lifetimeSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: this.now(),
      });
      assertPlainHeader(protectedHeader);
      return claimsOf(payload);
    } catch (error) {
      // jose compares times last, after signature, type, issuer and audience.
      if (error instanceof errors.JWTExpired) throw new TokenExpired();
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        throw new TokenInvalid({ cause: error });
      throw error;
    }
  }

  private keyOf(kid: string | undefined) {
    const key = kid === undefined ? undefined : this.keys.find(kid);
    if (!key) throw new TokenInvalid();
    return key;
  }
}

/** A header that brings its own key, or points to one, is not one that we wrote. */
function assertPlainHeader(header: object): void {
  if (!Object.keys(header).every((member) => HEADER_MEMBERS.has(member))) throw new TokenInvalid();
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
