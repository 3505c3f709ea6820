import { decodeText } from './decode-text.js';

const bytes = (...codes: number[]) => Uint8Array.from(codes);
const POEM = 'Однажды, в студеную зимнюю пору, я из лесу вышел; был сильный мороз.';

/** Node decodes these encodings but does not write them, so the letters are looked up. */
function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding);
  const codes = new Map<string, number[]>();
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0x40; first > 0x80 && second < 256; second += 1)
      codes.set(decoder.decode(bytes(first, second)), [first, second]);
    codes.set(decoder.decode(bytes(first)), [first]);
  }
  return Uint8Array.from([...text].flatMap((letter) => codes.get(letter)!));
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

  it.each([
    ['shift_jis', '保険契約者は、診察を受けた日から三十日以内に治療費の払い戻しを請求することができます。'],
    [
      'gb18030',
      '被保险人可以在就诊之日起三十日内申请报销治疗费用。免赔额不在保险范围之内，请保存好所有的发票和收据。',
    ],
    ['euc-kr', '피보험자는 진료를 받은 날부터 삼십일 이내에 치료비의 환급을 청구할 수 있습니다.'],
    [
      'windows-1250',
      'Ubezpieczony może złożyć wniosek o zwrot kosztów leczenia w ciągu trzydziestu dni od daty wizyty.',
    ],
    [
      'iso-8859-2',
      'Pojištěný může požádat o úhradu nákladů na léčení do třiceti dnů, pojištění se vztahuje i na děti.',
    ],
    [
      'windows-1253',
      'Άλλα έξοδα: ο ασφαλισμένος μπορεί να ζητήσει την επιστροφή των εξόδων μέσα σε τριάντα ημέρες.',
    ],
    [
      'iso-8859-7',
      'Άλλα έξοδα: ο ασφαλισμένος μπορεί να ζητήσει την επιστροφή των εξόδων μέσα σε τριάντα ημέρες.',
    ],
    [
      'windows-1254',
      'Sigortalı, tedavi masraflarının geri ödenmesini otuz gün içinde talep edebilir. Muayene ücreti için şartlar.',
    ],
    ['windows-1256', 'يجوز للمؤمن عليه أن يطلب استرداد نفقات العلاج خلال ثلاثين يوما من تاريخ زيارة الطبيب'],
  ])('reads a sentence in %s', (encoding, text) => {
    expect(decodeText(encode(text, encoding))).toBe(text);
  });

  it('knows an old encoding by the few lines that show it', () => {
    const text = `${'The plan pays for visits.\n'.repeat(5_000)}Ubezpieczony może złożyć wniosek o zwrot kosztów leczenia w ciągu trzydziestu dni od daty wizyty.\n`;
    expect(decodeText(encode(text, 'windows-1250'))).toBe(text);
  });

  it('reads UTF-16 and UTF-32 without or with a mark', () => {
    const text = 'The deductible is $500.';
    expect(decodeText(Buffer.from(text, 'utf16le'))).toBe(text);
    expect(decodeText(Buffer.from(text, 'utf16le').swap16())).toBe(text);
    const letters = [0xfeff, ...text].map((letter) =>
      typeof letter === 'number' ? letter : letter.codePointAt(0)!,
    );
    expect(decodeText(new Uint8Array(Uint32Array.from(letters).buffer))).toBe(text);
  });

  it('refuses a few letters that could be of any language', () => {
    expect(() => decodeText(encode('あいうえお', 'shift_jis'))).toThrow(
      expect.objectContaining({ code: 'unknown-encoding' }),
    );
  });

  it('refuses what reads like no language in any encoding', () => {
    const noise = Uint8Array.from({ length: 200 }, (_, i) => 0x80 + ((i * 37) % 0x80));
    expect(() => decodeText(noise)).toThrow(expect.objectContaining({ code: 'unknown-encoding' }));
    expect(typeof decodeText(noise, 'replace')).toBe('string');
  });
});
