import { z } from 'zod';
import type { SealingKey } from '#libs/secrets';

/** Somebody may have to find his telephone first. */
export const LOGIN_STATE_SECONDS = 600;
const PURPOSE = 'oidc login state';
const LONGEST_COOKIE = 2_000;

const LoginState = z.strictObject({
  state: z.string().min(20),
  nonce: z.string().min(20),
  codeVerifier: z.string().min(43),
  expiresAt: z.int(),
});
/** What must come back with the answer of the provider, and what the answer must fit. */
export type LoginState = z.infer<typeof LoginState>;

/**
 * Keeps a login that has begun in the browser that began it, sealed: so nobody finishes in his own browser what another
 * one began, and replicas need nothing in common. Cookies without TLS exist for development on one machine only.
 */
export class LoginStates {
  private readonly name: string;
  private readonly attributes: string;

  constructor(
    private readonly sealing: SealingKey,
    { secure }: { secure: boolean },
  ) {
    // The prefix has browsers refuse the cookie from anywhere but this host, by TLS.
    this.name = secure ? '__Host-navigator-login' : 'navigator-login';
    this.attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  cookie(state: Omit<LoginState, 'expiresAt'>, nowMs = Date.now()): string {
    const expiresAt = nowMs + LOGIN_STATE_SECONDS * 1_000;
    const sealed = this.sealing.seal(JSON.stringify({ ...state, expiresAt }), PURPOSE).toString('base64url');
    return `${this.name}=${sealed}; Max-Age=${LOGIN_STATE_SECONDS}; ${this.attributes}`;
  }

  /** Has the browser forget it. */
  get emptyCookie(): string {
    return `${this.name}=; Max-Age=0; ${this.attributes}`;
  }

  /** Undefined for what is none of ours, or too old. */
  open(cookieHeader: string | undefined, nowMs = Date.now()): LoginState | undefined {
    const sealed = cookieIn(cookieHeader, this.name);
    if (!sealed || sealed.length > LONGEST_COOKIE) return undefined;
    try {
      const state = LoginState.parse(
        JSON.parse(this.sealing.open(Buffer.from(sealed, 'base64url'), PURPOSE)),
      );
      return state.expiresAt > nowMs ? state : undefined;
    } catch {
      return undefined;
    }
  }
}

function cookieIn(header: string | undefined, name: string): string | undefined {
  const found = header
    ?.split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  // Two of them mean that somebody else has put one there.
  return found?.length === 1 ? found[0]!.slice(name.length + 1) : undefined;
}
