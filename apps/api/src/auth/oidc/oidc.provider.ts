import { isIP } from 'node:net';
import type * as OpenIdClient from 'openid-client';
import { auditDetail } from '#libs/audit';
import { DomainError, TransientFailure } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { type OidcConfig, saysSecondFactor } from './oidc.config.js';
import { SsoNotConfigured, SsoRefused } from './oidc.errors.js';
import type { LoginState } from './login-state.js';

/** What the provider says about somebody, verified. */
export interface SsoClaims {
  issuer: string;
  subject: string;
  email?: string;
  emailVerified: boolean;
  /** By the signed ID token and nothing else. */
  secondFactor: boolean;
  /** Of the claim that the settings name for it. */
  roles?: string[];
}

/** What the provider says about itself is asked again after this. */
const DISCOVERED_MS = 3_600_000;
/** How long what it said before is good enough while it does not answer. */
const STALE_MS = 60_000;
const LONGEST_ANSWER = 1_000_000;

interface Discovered {
  configuration: Promise<OpenIdClient.Configuration>;
  at: number;
}

/**
 * An OpenID provider, by openid-client: authorization code with PKCE, state and nonce; the signature of the ID token is
 * verified too. Every call goes through the policy `oidc`. The library is loaded with the first login.
 */
export class OidcProvider {
  private discovered?: Discovered;

  /** @throws Error for settings that do not go together */
  constructor(
    private readonly config: OidcConfig,
    private readonly policy: Pick<Policy, 'execute'>,
    private readonly now: () => number = () => Date.now(),
  ) {
    if (!config.issuer) return;
    if (!config.clientId || !config.redirectUri)
      throw new Error('OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_REDIRECT_URI');
    if (!isHttps(config.issuer) && !isOnThisMachine(config.issuer))
      throw new Error('OIDC_ISSUER must be reached by https unless it is on this machine');
    if (config.createUsers && config.allowedDomains.trim() === '')
      throw new Error('OIDC_CREATE_USERS needs OIDC_ALLOWED_DOMAINS');
  }

  /** Where to send the browser, and what to remember until it comes back. @throws SsoNotConfigured */
  async begin(): Promise<{ url: URL; state: Omit<LoginState, 'expiresAt'> }> {
    const configuration = await this.configuration();
    const client = await openIdClient();
    const state = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.config.redirectUri!,
      scope: this.config.scopes,
      response_type: 'code',
      state: state.state,
      nonce: state.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(state.codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url, state };
  }

  /**
   * @param query with which the browser came back
   * @throws SsoRefused @throws SsoNotConfigured @throws DependencyUnavailable @throws DependencyTimeout
   */
  async finish(query: string, { state, nonce, codeVerifier }: LoginState): Promise<SsoClaims> {
    const configuration = await this.configuration();
    const client = await openIdClient();
    const url = new URL(this.config.redirectUri!);
    url.search = query;
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: codeVerifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims()!;
      // Many providers tell the address only when they are asked for it.
      const more =
        claims.email === undefined && configuration.serverMetadata().userinfo_endpoint
          ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : {};
      const secondFactor = saysSecondFactor(this.config.secondFactorValues, claims);
      return { ...this.claimsOf({ ...more, ...claims }), secondFactor };
    } catch (error) {
      throw refusal(error);
    }
  }

  /** Where the browser ends the session at the provider, if there is such a place. */
  async logoutUrl(): Promise<URL | undefined> {
    const configuration = await this.configuration();
    if (!configuration.serverMetadata().end_session_endpoint) return undefined;
    const { postLogoutUri } = this.config;
    return (await openIdClient()).buildEndSessionUrl(
      configuration,
      postLogoutUri ? { post_logout_redirect_uri: postLogoutUri } : {},
    );
  }

  private claimsOf(
    claims: Record<string, unknown> & { iss: string; sub: string },
  ): Omit<SsoClaims, 'secondFactor'> {
    const { iss, sub, email, email_verified: verified } = claims;
    const { roleClaim } = this.config;
    const role = roleClaim === undefined ? undefined : claims[roleClaim];
    return {
      issuer: iss,
      subject: sub,
      email: typeof email === 'string' ? email : undefined,
      emailVerified: verified === true,
      roles: (Array.isArray(role) ? role : [role]).filter((each) => typeof each === 'string'),
    };
  }

  /** Asked for by the first login, and again after an hour or a failure; by one caller for all. */
  private configuration(): Promise<OpenIdClient.Configuration> {
    const { issuer } = this.config;
    if (!issuer) throw new SsoNotConfigured();
    const previous = this.discovered;
    if (previous && this.now() - previous.at < DISCOVERED_MS) return previous.configuration;
    const configuration = this.discover(issuer).catch((error: unknown) => {
      // What it said an hour ago is most likely still so.
      this.discovered = previous && { ...previous, at: this.now() - DISCOVERED_MS + STALE_MS };
      if (previous) return previous.configuration;
      throw refusal(error);
    });
    this.discovered = { configuration, at: this.now() };
    return configuration;
  }

  private async discover(issuer: string): Promise<OpenIdClient.Configuration> {
    const client = await openIdClient();
    const { clientId, clientSecret } = this.config;
    return client.discovery(
      new URL(issuer),
      clientId!,
      undefined,
      clientSecret ? client.ClientSecretBasic(clientSecret) : client.None(),
      {
        [client.customFetch]: (url, options) => this.fetch(url, options),
        execute: [
          client.enableNonRepudiationChecks,
          ...(isHttps(issuer) ? [] : [client.allowInsecureRequests]),
        ],
      },
    );
  }

  /** With its body, so that one that trickles has a limit as well. Follows no redirect. */
  private fetch(url: string, options: OpenIdClient.CustomFetchOptions): Promise<Response> {
    const idempotent = options.method === 'GET';
    return this.policy.execute(
      async (signal) => {
        const response = await fetch(url, { ...options, redirect: 'manual', signal } as RequestInit).catch(
          (error: unknown) => {
            throw signal.aborted
              ? signal.reason
              : new TransientFailure('the provider cannot be reached', { cause: error });
          },
        );
        if (response.status >= 500) {
          await response.body?.cancel().catch(() => undefined);
          throw new TransientFailure(`the provider answered ${response.status}`);
        }
        const { status, headers } = response;
        const body = await limitedText(response);
        return new Response(NO_BODY.has(status) ? null : body, { status, headers });
      },
      { operation: idempotent ? 'read' : 'exchange', idempotent },
    );
  }
}

const NO_BODY = new Set([204, 205, 304]);

async function limitedText(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LONGEST_ANSWER) throw new TransientFailure('the provider sends more than any answer needs');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

let loaded: Promise<typeof OpenIdClient> | undefined;
function openIdClient(): Promise<typeof OpenIdClient> {
  return (loaded ??= import('openid-client'));
}

/** What a policy said goes on as it is; what the library or the provider said about this login is a refusal. */
function refusal(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof DomainError) return cause;
  if (!(error instanceof Error)) return error;
  const { code, error: said } = error as { code?: unknown; error?: unknown };
  auditDetail({ detail: { cause: [said, code].find((each) => typeof each === 'string') ?? error.name } });
  return new SsoRefused(error);
}

function isHttps(url: string): boolean {
  return new URL(url).protocol === 'https:';
}

function isOnThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  return hostname === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
