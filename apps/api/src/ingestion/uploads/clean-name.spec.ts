import { cleanFileName, cleanName, titleOf } from './clean-name.js';

describe('a name from outside', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\plan.pdf', 'plan.pdf'],
    ['plan\u0000\r\n.pdf', 'plan .pdf'],
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['a\u200Bb\uFEFF.txt', 'ab.txt'],
    ['  two   spaces .docx ', 'two spaces .docx'],
    ['.hidden', 'hidden'],
    ['ends with dots...', 'ends with dots'],
    ['U\u0308bersicht.pdf', '\u00DCbersicht.pdf'],
    ['保険.pdf', '保険.pdf'],
    ['\uD800broken.pdf', '\uFFFDbroken.pdf'],
    ['', 'document'],
    ['..', 'document'],
    ['/', 'document'],
  ])('%j is kept as %j', (given, kept) => {
    expect(cleanFileName(given)).toBe(kept);
  });

  it('keeps its ending when it is cut, and never half a character', () => {
    const cut = cleanFileName(`${'😀'.repeat(400)}.pdf`);
    expect(Array.from(cut)).toHaveLength(255);
    expect(cut.endsWith('😀.pdf')).toBe(true);
    expect(cut.isWellFormed()).toBe(true);
  });

  it('loses characters that hide instructions or cannot be seen', () => {
    expect(cleanName('Plan \u{E0041}\u{E0042}A\uFE0F', 50)).toBe('Plan A');
  });

  it('gives a title without the ending', () => {
    expect(titleOf('benefits-2026.v2.pdf')).toBe('benefits-2026.v2');
    expect(titleOf('README')).toBe('README');
    expect(titleOf('x.pdf')).toBe('x');
  });
});
