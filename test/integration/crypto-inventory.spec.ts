import { readFile } from 'node:fs/promises';
import { filesOf } from '../support/source-rules.js';

interface Use {
  name: string;
  algorithm: string;
  /** False where nothing depends on its strength. */
  security?: boolean;
  tokens: string[];
  bits: number;
  where: string[];
  [text: string]: unknown;
}

/** Calls by which a source makes, opens, signs, digests or draws something. */
const CALLS =
  /\b(?:hash(?=\(['"])|createHash|createHmac|createCipheriv|createDecipheriv|randomBytes|randomInt|generateKeyPair(?:Sync)?|createPrivateKey|createPublicKey|pbkdf2(?:Sync)?|scrypt(?:Sync)?|hkdf(?:Sync)?|SignJWT|jwtVerify|argon2id)\b/;
const TOKENS: Record<string, RegExp> = {
  sha1: /['"]sha-?1['"]/i,
  sha256: /['"]sha-?256['"]/i,
  hmac: /createHmac\(/,
  'aes-256-gcm': /aes-256-gcm/,
  cbc: /aes-[^'"`]*-cbc/,
  pbkdf2: /pbkdf2/,
  argon2: /@node-rs\/argon2|argon2id m/,
  eddsa: /EdDSA/,
  ed25519: /ed25519/i,
};
const FORBIDDEN =
  /['"`](?:md5|md4|sha-?224|des|des-ede3|rc4|blowfish|[\w-]+-ecb)['"`]|createCipher\(|Math\.random\(\)\.toString/i;
const TEXTS = ['name', 'algorithm', 'key', 'kept', 'protects', 'never', 'rotation'];

describe('the inventory of cryptography', () => {
  let uses: Use[];
  const sources = filesOf('{apps,libs}/**/*.ts').filter(([file]) => !file.endsWith('.spec.ts'));
  const withCrypto = sources.filter(([, source]) => CALLS.test(source));
  const usesOf = (file: string) => uses.filter(({ where }) => where.some((path) => file.startsWith(path)));
  beforeAll(async () => {
    ({ uses } = JSON.parse(await readFile('docs/security/crypto-inventory.json', 'utf8')) as { uses: Use[] });
  });

  it('has every file that uses any, and none that does not', () => {
    expect(withCrypto.length).toBeGreaterThan(20);
    expect(withCrypto.map(([file]) => file).filter((file) => usesOf(file).length === 0)).toEqual([]);
    const stale = uses
      .flatMap(({ where }) => where)
      .filter((path) => !withCrypto.some(([file]) => file.startsWith(path)));
    expect(stale).toEqual([]);
  });

  it('names the algorithms that each file names', () => {
    const missing = withCrypto.flatMap(([file, source]) =>
      Object.entries(TOKENS)
        .filter(
          ([token, pattern]) =>
            pattern.test(source) && !usesOf(file).some(({ tokens }) => tokens.includes(token)),
        )
        .map(([token]) => `${file}: ${token}`),
    );
    expect(missing).toEqual([]);
  });

  it('says of each use what its key is, where that lies and how it is exchanged', () => {
    for (const use of uses)
      expect({ name: use.name, lacks: TEXTS.filter((key) => !use[key]) }).toEqual({
        name: use.name,
        lacks: [],
      });
    expect(new Set(uses.map(({ name }) => name)).size).toBe(uses.length);
  });

  it('relies on nothing weak', () => {
    expect(sources.filter(([, source]) => FORBIDDEN.test(source)).map(([file]) => file)).toEqual([]);
    const relied = uses.filter(({ security }) => security !== false);
    expect(
      relied.filter(({ tokens }) => tokens.some((token) => ['sha1', 'cbc', 'pbkdf2'].includes(token))),
    ).toEqual([]);
    expect(relied.filter(({ bits }) => bits < 112)).toEqual([]);
  });
});
