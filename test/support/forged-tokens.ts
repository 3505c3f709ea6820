import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { SealingKey } from '#libs/secrets';
import type { RunningApp } from './test-app.js';

/** What a forger may know, and for some cases more: the key itself. */
export interface ForgeryMaterial {
  /** A good token. */
  token: string;
  /** The key that signed it. */
  key: KeyObject;
}

/** The key that signs the access tokens, which only the program has: many a forgery is one although signed with it. */
export async function signingKey({ dataDir, db }: Pick<RunningApp, 'dataDir' | 'db'>): Promise<KeyObject> {
  const seal = await SealingKey.loadOrCreate(dataDir);
  const { rows } = await db.owner.query('select * from token_key order by signs_from limit 1');
  const { kid, public_key: x, sealed_private } = rows[0];
  const d = seal.open(sealed_private, `token-key ${kid} ${x}`);
  return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' });
}

/** The same token with other claims, signed as the program would. */
export function signedAgain({ token, key }: ForgeryMaterial, changed: object): string {
  const [head, body] = token.split('.') as [string, string];
  const input = `${head}.${encoded({ ...decoded(body), ...changed })}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** Tokens of which every one must be refused, by what is wrong with it. */
export function forgedTokens({ token, key }: ForgeryMaterial): Map<string, string> {
  const [head, body, signature] = token.split('.') as [string, string, string];
  const header = decoded(head);
  const claims = decoded(body);
  const now = Math.floor(Date.now() / 1_000);
  const signed = (changedHeader: object | string, changedClaims: object | string = claims, by = key) => {
    const input = `${encoded(changedHeader)}.${encoded(changedClaims)}`;
    return `${input}.${sign(null, Buffer.from(input), by).toString('base64url')}`;
  };
  const withClaims = (changed: object) => signed(header, { ...claims, ...changed });
  const withHeader = (changed: object) => signed({ ...header, ...changed });
  const forged = new Map<string, string>();

  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'NoNe', ''])
    forged.set(`unsigned, alg "${alg}"`, `${encoded({ ...header, alg })}.${body}.`);
  for (const alg of ['none', 'HS256', 'RS256', 'ES256', 'PS256', 'eddsa', 'EDDSA', 'Ed25519', 'Ed448'])
    forged.set(`our signature, alg "${alg}"`, withHeader({ alg }));
  const publicKey = createPublicKey(key);
  for (const [what, secret] of [
    ['PEM', publicKey.export({ type: 'spki', format: 'pem' })],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['bytes', Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')],
    ['nothing', ''],
  ] as const) {
    const input = `${encoded({ ...header, alg: 'HS256' })}.${body}`;
    forged.set(
      `HMAC with the public key (${what})`,
      `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`,
    );
  }

  for (const typ of ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'dpop+jwt', 'logout+jwt', null])
    forged.set(`typ ${typ}`, withHeader({ typ }));
  for (const kid of KEY_NAMES) forged.set(`kid ${kid.slice(0, 30)}`, withHeader({ kid }));
  forged.set('no kid', signed({ alg: header.alg, typ: header.typ }));
  forged.set('kid is a list', withHeader({ kid: [header.kid] }));

  const stranger = generateKeyPairSync('ed25519').privateKey;
  const strangersJwk = createPublicKey(stranger).export({ format: 'jwk' });
  forged.set('signature of another key', signed(header, claims, stranger));
  forged.set('brings its own key', signed({ ...header, jwk: strangersJwk }, claims, stranger));
  forged.set(
    'brings its own key, without kid',
    signed({ alg: header.alg, typ: header.typ, jwk: strangersJwk }, claims, stranger),
  );
  for (const member of ['jku', 'x5u'])
    forged.set(`${member} header`, withHeader({ [member]: 'http://127.0.0.1:1/keys.json' }));
  forged.set('x5c header', withHeader({ x5c: ['MIIB'] }));
  forged.set('crit header', withHeader({ crit: ['exp'] }));
  forged.set('b64 is false', withHeader({ b64: false, crit: ['b64'] }));
  forged.set('compressed', withHeader({ zip: 'DEF' }));
  forged.set('nested', signed({ ...header, cty: 'JWT' }, token));
  forged.set('a token in a token', signed(header, token));
  forged.set('members twice', signed(JSON.stringify(header).replace('{', '{"alg":"none",')));
  forged.set('white space in the header', signed(JSON.stringify(header, undefined, 1)));
  forged.set('header is a list', signed([header]));
  forged.set('header is no JSON', signed('{"alg":"EdDSA"'));

  forged.set('another issuer', withClaims({ iss: 'somebody-else' }));
  forged.set('another audience', withClaims({ aud: 'another-api' }));
  forged.set('no audience', withClaims({ aud: undefined }));
  forged.set('other audiences', withClaims({ aud: ['a', 'b'] }));
  forged.set('expired yesterday', withClaims({ iat: now - 87_000, nbf: now - 87_000, exp: now - 86_400 }));
  forged.set('expires never', withClaims({ exp: undefined }));
  forged.set('expires in a word', withClaims({ exp: 'tomorrow' }));
  forged.set('issued in the future', withClaims({ iat: now + 120, exp: now + 700 }));
  forged.set('not valid yet', withClaims({ nbf: now + 120 }));
  forged.set('older than tokens get', withClaims({ iat: now - 3_600, exp: now + 3_600 }));
  forged.set('without a session', withClaims({ sid: undefined }));
  forged.set('tenant is SQL', withClaims({ tid: "' or true --" }));
  forged.set('unknown role', withClaims({ role: 'root' }));
  forged.set('payload is no object', signed(header, '"sub"'));
  forged.set('payload is no JSON', signed(header, '{"sub":'));
  forged.set('tampered role', `${head}.${encoded({ ...claims, role: 'operator' })}.${signature}`);
  forged.set('too long', withClaims({ filler: 'x'.repeat(4_096) }));

  const last = signature.charCodeAt(signature.length - 1);
  forged.set('left-over bits of the signature', token.slice(0, -1) + String.fromCharCode(last + 1));
  forged.set('padded signature', `${token}==`);
  forged.set('padded header', `${head}=.${body}.${signature}`);
  forged.set('base64 instead of base64url', `${head}.${body}.${signature.slice(0, -1)}+/`);
  forged.set('truncated', token.slice(0, -4));
  forged.set('without a signature', `${head}.${body}`);
  forged.set('with an empty signature', `${head}.${body}.`);
  forged.set('with a part too many', `${token}.${signature}`);
  forged.set('without a payload', `${head}..${signature}`);
  forged.set('without a header', `.${body}.${signature}`);
  forged.set('dots', '..');
  forged.set('no token at all', 'x');
  forged.set('five parts, as encrypted', `${head}.${body}.${signature}.${body}.${signature}`);
  forged.set('a session of nobody', withClaims({ sid: randomUUID(), tid: 'nobody' }));
  return forged;
}

const KEY_NAMES = [
  '',
  '../../../../dev/null',
  '/proc/self/environ',
  "' union select 'secret",
  '"; drop table token_key; --',
  '__proto__',
  'x'.repeat(1_500),
  '%00',
];

function encoded(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}
