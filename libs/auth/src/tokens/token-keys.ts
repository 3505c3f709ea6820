import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose';

/** One algorithm, pinned: RFC 8725 section 3.1. */
export const TOKEN_ALGORITHM = 'EdDSA';
/** RFC 9068. A token of any other kind that our keys may sign one day is not taken for an access token. */
export const TOKEN_TYPE = 'at+jwt';
const CURVE = 'Ed25519';
/** Whoever makes up key names makes us look at most this often. */
const LOOK_EVERY_MS = 1_000;

/** The two numbers of an Ed25519 key (RFC 8037), and its name, which follows from the public one. */
export interface TokenKeyMaterial {
  kid: string;
  /** base64url */
  publicKey: string;
  privateKey: string;
}

/** A key and when it counts, in milliseconds by this process's clock. */
export interface TokenKey extends TokenKeyMaterial {
  signsFrom: number;
  verifiesUntil: number;
}

interface Imported {
  kid: string;
  key: CryptoKey;
  publicKey: CryptoKey;
  x: string;
  signsFrom: number;
  verifiesUntil: number;
}

export interface PublicJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  kid: string;
  alg: 'EdDSA';
  use: 'sig';
}

export async function newTokenKey(): Promise<TokenKeyMaterial> {
  const { privateKey } = await generateKeyPair(TOKEN_ALGORITHM, { crv: CURVE, extractable: true });
  const { x, d } = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: CURVE, x });
  return { kid, publicKey: x!, privateKey: d! };
}

/** The header of a token that this key signs: always these bytes. */
export function tokenHeader(kid: string): { alg: string; typ: string; kid: string } {
  return { alg: TOKEN_ALGORITHM, typ: TOKEN_TYPE, kid };
}

/**
 * The keys that are in force in this process. A token's key is found by comparing its header with those that we would
 * have written: nothing in a header of somebody else's is ever parsed or followed (`alg`, `jku`, `jwk`, `crit`, …).
 */
export class TokenKeys {
  private keys: Imported[] = [];
  private byHeader = new Map<string, Imported>();
  private lookedAt = -Infinity;

  /** @param look asks where the keys are kept whether there are others by now, and calls `replace` */
  constructor(
    private readonly look: () => Promise<void> = () => Promise.resolve(),
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** One key that signs and verifies from now on. */
  static async of(...keys: TokenKeyMaterial[]): Promise<TokenKeys> {
    const ring = new TokenKeys();
    await ring.replace(keys.map((key) => ({ ...key, signsFrom: -Infinity, verifiesUntil: Infinity })));
    return ring;
  }

  /** Returns whether one that was there is there no more. */
  async replace(keys: readonly TokenKey[]): Promise<boolean> {
    const known = new Map(this.keys.map((key) => [key.kid, key]));
    const next = await Promise.all(keys.map((key) => importKey(key, known.get(key.kid))));
    this.keys = next;
    this.byHeader = new Map(next.map((key) => [encodedHeader(key.kid), key]));
    return [...known.keys()].some((kid) => !next.some((key) => key.kid === kid));
  }

  /**
   * The newest key whose time to sign has come.
   *
   * @throws Error when there is none, which is a mistake of whoever keeps the keys
   */
  get signing(): { readonly kid: string; readonly key: CryptoKey } {
    const now = this.now();
    const ready = this.keys.filter(({ signsFrom, verifiesUntil }) => signsFrom <= now && verifiesUntil > now);
    const newest = ready.toSorted((a, b) => b.signsFrom - a.signsFrom)[0];
    if (!newest) throw new Error('There is no key to sign access tokens with');
    return newest;
  }

  /** The public key of that name; only names from our own list exist. */
  find(kid: string): CryptoKey | undefined {
    return this.valid(this.keys.find((key) => key.kid === kid))?.publicKey;
  }

  /** The public key for a token that begins with this header (base64url), if it is a header of ours. */
  async findByHeader(header: string): Promise<CryptoKey | undefined> {
    const known = this.byHeader.get(header);
    // A replica may sign with a key that this one has not heard of yet. All our headers have the same length.
    if (!known && header.length === HEADER_LENGTH && this.mayLook()) await this.look();
    return this.valid(known ?? this.byHeader.get(header))?.publicKey;
  }

  /** What others verify our tokens with (RFC 7517): also the key that will sign next. */
  jwks(): { keys: PublicJwk[] } {
    const keys = this.keys.filter((key) => this.valid(key));
    return {
      keys: keys.map(({ kid, x }) => ({
        kty: 'OKP',
        crv: CURVE,
        x,
        kid,
        alg: TOKEN_ALGORITHM,
        use: 'sig',
      })),
    };
  }

  private valid(key: Imported | undefined): Imported | undefined {
    return key && key.verifiesUntil > this.now() ? key : undefined;
  }

  private mayLook(): boolean {
    const now = this.now();
    if (now - this.lookedAt < LOOK_EVERY_MS) return false;
    this.lookedAt = now;
    return true;
  }
}

async function importKey({ kid, publicKey: x, privateKey: d, ...times }: TokenKey, known?: Imported) {
  if (known) return { ...known, ...times };
  const jwk = { kty: 'OKP', crv: CURVE, x };
  const [key, publicKey] = await Promise.all([
    importJWK({ ...jwk, d }, TOKEN_ALGORITHM),
    importJWK(jwk, TOKEN_ALGORITHM),
  ]);
  return { kid, x, key: key as CryptoKey, publicKey: publicKey as CryptoKey, ...times };
}

function encodedHeader(kid: string): string {
  return Buffer.from(JSON.stringify(tokenHeader(kid))).toString('base64url');
}

/** A name is the SHA-256 of the key as base64url. */
const HEADER_LENGTH = encodedHeader('x'.repeat(43)).length;
