import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, decodeJwt } from 'jose';
import OidcProvider from 'oidc-provider';

export interface LocalAccount {
  sub: string;
  email?: string;
  email_verified?: boolean;
  groups?: string[];
}

export const CLIENT = { id: 'navigator', secret: 'a secret of the test' };
export const REDIRECT_URI = 'http://127.0.0.1:4321/v1/auth/oidc/callback';

/** A real OpenID provider on a free port of this machine, in which whoever comes is logged in and agrees. */
export async function localOidcProvider() {
  let account: LocalAccount = { sub: 'nobody' };
  let changed: ((claims: JWTPayload) => JWTPayload) | undefined;
  let server: Server | undefined = createServer();
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'test' };

  const provider = new OidcProvider(issuer, {
    clients: [
      { client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [REDIRECT_URI] },
      { client_id: 'another', client_secret: 'of its own', redirect_uris: [REDIRECT_URI] },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ ...account, sub }) }),
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    jwks: { keys: [jwk] },
  });
  // What a provider under foreign control, or a mix-up of two, would answer; signed with its own key.
  provider.use(async (ctx: { path: string; body: { id_token?: string } }, next: () => Promise<void>) => {
    await next();
    if (ctx.path !== '/token' || !changed || !ctx.body?.id_token) return;
    const claims = changed(decodeJwt(ctx.body.id_token));
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'test' })
      .sign(privateKey);
    ctx.body = { ...ctx.body, id_token: token };
  });
  const answer = provider.callback() as (request: IncomingMessage, response: ServerResponse) => void;

  async function consent(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await provider.interactionDetails(request, response);
    const grant = new provider.Grant({ accountId: account.sub, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    await provider.interactionFinished(request, response, {
      login: { accountId: account.sub },
      consent: { grantId: await grant.save() },
    });
  }
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    request.url!.startsWith('/interaction/') ? void consent(request, response) : answer(request, response);
  server.on('request', listener);

  return {
    issuer,
    /** Who is sitting before the browser. */
    is(who: LocalAccount) {
      account = who;
    },
    /** Changes the ID tokens that it issues. */
    changeIdTokens(change?: (claims: JWTPayload) => JWTPayload) {
      changed = change;
    },
    /** Goes through the pages of the provider as a browser does. Returns where it ends: our callback. */
    async browse(location: string): Promise<URL> {
      const cookies = new Map<string, string>();
      for (let url = location; ;) {
        if (url.startsWith(REDIRECT_URI)) return new URL(url);
        const response = await fetch(url, {
          redirect: 'manual',
          headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
        });
        for (const cookie of response.headers.getSetCookie()) {
          const [name, ...value] = cookie.split(';')[0]!.split('=');
          cookies.set(name!, value.join('='));
        }
        const next = response.headers.get('location');
        if (!next) throw new Error(`The provider stopped with ${response.status}: ${await response.text()}`);
        url = new URL(next, url).href;
      }
    },
    async stop(): Promise<void> {
      const closing = server;
      server = undefined;
      closing?.closeAllConnections();
      await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
    async startAgain(): Promise<void> {
      server = createServer(listener);
      await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve));
    },
  };
}
export type LocalOidcProvider = Awaited<ReturnType<typeof localOidcProvider>>;
