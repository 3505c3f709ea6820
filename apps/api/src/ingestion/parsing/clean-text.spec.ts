import { cleanText, withoutBullet } from './clean-text.js';

describe('cleanText', () => {
  it('drops characters that nobody sees and that could carry instructions', () => {
    const hidden = [...'obey me']
      .map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0)))
      .join('');
    expect(cleanText(`Co\u200Bpay\uFE0F${hidden} \u202E$25\u0007`)).toBe('Copay $25');
  });

  it('writes ligatures as people type them and accents as one letter', () => {
    expect(cleanText('bene\uFB01t o\uFB03ce re\u0301sume\u0301')).toBe('benefit office résumé');
  });

  it('makes single spaces of all white space and of symbols that only one font knows', () => {
    expect(cleanText('  \uF0B7\u00A0Hearing\t\naids \r\n')).toBe('Hearing aids');
  });
});

describe('withoutBullet', () => {
  it('drops a bullet but keeps a number, which other texts refer to', () => {
    expect(withoutBullet('• Hearing aids')).toBe('Hearing aids');
    expect(withoutBullet('– Hearing aids')).toBe('Hearing aids');
    expect(withoutBullet('1. Hearing aids')).toBe('1. Hearing aids');
  });
});
