import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { TokenExpired, TokenInvalid } from '../auth.errors.js';
import { type AccessClaims, AccessTokens } from './access-tokens.js';
import { newTokenKey, TokenKeys } from './token-keys.js';

const settings = { issuer: 'navigator', audience: 'navigator-api', lifetimeSeconds: 600 };
const claims: AccessClaims = {
  tenantId: randomUUID(),
  userId: randomUUID(),
  sessionId: randomUUID(),
  role: 'member',
};
const PAYLOADS = '../shared/data/payloads/jwt_wycheproof_subset.json';

describe('AccessTokens', () => {
  let keys: TokenKeys;
  let now: Date;
  let tokens: AccessTokens;

  beforeAll(async () => {
    keys = await TokenKeys.of(await newTokenKey());
  });
  beforeEach(() => {
    now = new Date('2026-11-03T10:00:00Z');
    tokens = new AccessTokens(keys, settings, () => now);
  });

  const later = (seconds: number) => (now = new Date(now.getTime() + seconds * 1_000));
  const seconds = () => Math.floor(now.getTime() / 1_000);

  /** A token that our own key signed, with some parts of it changed or left out. */
  function signed({
    header = {},
    payload = {},
    key = keys.signing.key,
  }: {
    header?: object;
    payload?: Record<string, unknown>;
    key?: CryptoKey;
  }) {
    const body = {
      iss: settings.issuer,
      aud: settings.audience,
      sub: claims.userId,
      tid: claims.tenantId,
      sid: claims.sessionId,
      role: claims.role,
      iat: seconds(),
      nbf: seconds(),
      exp: seconds() + 600,
      jti: randomUUID(),
      ...payload,
    };
    return new SignJWT(Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.signing.kid, ...header })
      .sign(key);
  }

  const encode = (part: object | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const refused = (token: string) => expect(tokens.verify(token)).rejects.toThrow(TokenInvalid);

  it('verifies what it issued, until it expires', async () => {
    const token = await tokens.issue(claims);
    expect(token.length).toBeLessThan(700);
    expect(await tokens.verify(token)).toEqual({ ...claims, expiresAt: new Date('2026-11-03T10:10:00Z') });
    later(599);
    await tokens.verify(token);
    later(10);
    await expect(tokens.verify(token)).rejects.toThrow(TokenExpired);
  });

  it('finds a token of a moment ago ordinary, and one of yesterday worth a record', async () => {
    const token = await tokens.issue(claims);
    later(700);
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'token-expired', suspicious: false });
    later(86_400);
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'token-expired', suspicious: true });
  });

  it('accepts the token that the negative cases below are made from', async () => {
    expect(await tokens.verify(await signed({}))).toMatchObject(claims);
  });

  it.each(['none', 'None', 'nOnE', ''])('refuses an unsigned token with algorithm "%s"', async (alg) => {
    const [, body] = (await tokens.issue(claims)).split('.');
    await refused(`${encode({ alg, typ: 'at+jwt', kid: keys.signing.kid })}.${body}.`);
  });

  it('refuses a token that is signed with the public key as an HMAC secret', async () => {
    const publicKey = keys.find(keys.signing.kid)!;
    const [, body] = (await tokens.issue(claims)).split('.');
    for (const secret of [
      await exportSPKI(publicKey),
      Buffer.from((await exportJWK(publicKey)).x!, 'base64url'),
    ]) {
      const head = encode({ alg: 'HS256', typ: 'at+jwt', kid: keys.signing.kid });
      const signature = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
      await refused(`${head}.${body}.${signature}`);
    }
  });

  it.each(['eddsa', 'EDDSA', 'Ed448', 'ES256', 'RS256'])('refuses the algorithm name "%s"', async (alg) => {
    const [, body, signature] = (await tokens.issue(claims)).split('.');
    await refused(`${encode({ alg, typ: 'at+jwt', kid: keys.signing.kid })}.${body}.${signature}`);
  });

  it.each(['JWT', 'dpop+jwt', undefined])('refuses the type "%s"', async (typ) => {
    await refused(await signed({ header: { typ } }));
  });

  it('refuses another issuer, another audience and a list of audiences without ours', async () => {
    await refused(await signed({ payload: { iss: 'somebody-else' } }));
    await refused(await signed({ payload: { aud: 'another-api' } }));
    await refused(await signed({ payload: { aud: ['another-api', 'a-third'] } }));
  });

  it.each(['iss', 'aud', 'sub', 'tid', 'sid', 'role', 'iat', 'nbf', 'exp', 'jti'])(
    'refuses a token without %s',
    async (name) => {
      await refused(await signed({ payload: { [name]: undefined } }));
    },
  );

  it('refuses ids that are no ids and roles that do not exist', async () => {
    await refused(await signed({ payload: { tid: "' or true --" } }));
    await refused(await signed({ payload: { sub: 7 } }));
    await refused(await signed({ payload: { sid: [claims.sessionId] } }));
    await refused(await signed({ payload: { role: 'root' } }));
  });

  it('refuses a token that is not valid yet, or was issued in the future', async () => {
    await refused(await signed({ payload: { nbf: seconds() + 30 } }));
    await refused(await signed({ payload: { iat: seconds() + 30 } }));
  });

  it('refuses a token that lives longer than ours do', async () => {
    const token = await signed({ payload: { exp: seconds() + 86_400 } });
    later(700);
    await refused(token);
  });

  it('refuses an unknown key, a missing key name and the signature of another key', async () => {
    const other = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    await refused(await signed({ header: { kid: 'unknown' } }));
    await refused(await signed({ header: { kid: '../../token-keys.json' } }));
    await refused(await signed({ header: { kid: undefined } }));
    await refused(await signed({ key: other.privateKey }));
  });

  it('refuses a header that brings or points to a key', async () => {
    const other = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    await refused(await signed({ header: { jwk: await exportJWK(other.publicKey) }, key: other.privateKey }));
    await refused(await signed({ header: { jku: 'https://example.com/keys' } }));
    await refused(await signed({ header: { x5u: 'https://example.com/cert' } }));
  });

  it('refuses a token with any one of its parts changed, cut or doubled', async () => {
    const token = await tokens.issue(claims);
    const [head, body, signature] = token.split('.') as [string, string, string];
    const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const tampered = [
      `${head}.${encode({ ...payload, role: 'operator' })}.${signature}`,
      `${head}.${body}.${flipped(signature)}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `.${body}.${signature}`,
      `${token}.${signature}`,
      `${head}.${encode('{"sub":')}.${signature}`,
      token.slice(0, -4),
      '',
      '..',
      'nonsense',
    ];
    for (const each of tampered) await refused(each);
  });

  it('refuses the same bytes written in another way', async () => {
    const [head, body, signature] = (await tokens.issue(claims)).split('.') as [string, string, string];
    // The last of 86 characters has four bits that say nothing.
    const twin = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(85) + 1);
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    for (const each of [twin, `${signature}==`, ` ${signature}`, signature.replace(/.$/, '=$&')])
      await refused(`${head}.${body}.${each}`);
    await refused(`${head}=.${body}.${signature}`);
    await refused(`${head}.${body}=.${signature}`);
  });

  it('refuses a header with members twice, in another order or of another kind, also when we signed it', async () => {
    const { kid, key } = keys.signing;
    const body = (await tokens.issue(claims)).split('.')[1]!;
    for (const header of [
      `{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`,
      `{"kid":"${kid}","typ":"at+jwt","alg":"EdDSA"}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}","crit":["exp"]}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}","b64":false,"crit":["b64"]}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}","cty":"JWT"}`,
      `{"alg":"EdDSA","typ":"at+jwt","kid":["${kid}"]}`,
    ]) {
      const signed = `${encode(header)}.${body}`;
      const signature = await crypto.subtle.sign('Ed25519', key, Buffer.from(signed));
      await refused(`${signed}.${Buffer.from(signature).toString('base64url')}`);
    }
  });

  it('refuses a token over 4 KB before it looks inside', async () => {
    await refused(await signed({ payload: { filler: 'x'.repeat(4_096) } }));
  });

  const withPayloads = existsSync(PAYLOADS) ? it : it.skip;
  withPayloads('refuses every token of the published test vectors (needs ../shared/data)', async () => {
    const { groups } = JSON.parse(readFileSync(PAYLOADS, 'utf8')) as {
      groups: { tests: { jws: string }[] }[];
    };
    const vectors = groups.flatMap((group) => group.tests.map((test) => test.jws));
    expect(vectors.length).toBeGreaterThan(10);
    for (const vector of vectors) await refused(vector);
  });
});

function flipped(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  bytes[0]! ^= 1;
  return bytes.toString('base64url');
}
