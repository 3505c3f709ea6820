import { decodeText } from './decode-text.js';

const bytes = (...codes: number[]) => Uint8Array.from(codes);
const POEM = 'Однажды, в студеную зимнюю пору, я из лесу вышел; был сильный мороз.';

/** Node decodes these encodings but does not write them, so the letters are looked up. */
function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding);
  const codes = new Map(Array.from({ length: 256 }, (_, code) => [decoder.decode(bytes(code)), code]));
  return Uint8Array.from([...text].map((letter) => codes.get(letter)!));
}

describe('decodeText', () => {
  it('reads UTF-8, with and without a mark', () => {
    expect(decodeText(Buffer.from('naïve 保険'))).toBe('naïve 保険');
    expect(decodeText(Buffer.from('\uFEFFplan'))).toBe('plan');
  });

  it('reads UTF-16 of either byte order by its mark', () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x41, 0x00))).toBe('A');
    expect(decodeText(bytes(0xfe, 0xff, 0x00, 0x41))).toBe('A');
  });

  it('takes text with a few accents for Western', () => {
    const text = 'Le médecin de votre choix est couvert à 80 %, même à l’étranger – sans franchise.';
    expect(decodeText(encode(text, 'windows-1252'))).toBe(text);
  });

  it.each(['windows-1251', 'ibm866', 'koi8-r'])(
    'tells Russian in %s from the other encodings',
    (encoding) => {
      expect(decodeText(encode(POEM, encoding))).toBe(POEM);
    },
  );

  it('refuses what reads like no language in any encoding', () => {
    const noise = Uint8Array.from({ length: 200 }, (_, i) => 0x80 + ((i * 37) % 0x80));
    expect(() => decodeText(noise)).toThrow(expect.objectContaining({ code: 'unknown-encoding' }));
    expect(typeof decodeText(noise, 'replace')).toBe('string');
  });
});
