/**
 * Character maps for East Asian PDF fonts that are not embedded and use one of the encodings known to every system.
 * pdf.js would load Adobe's own maps, which lead from codes to glyph numbers and from those to Unicode; they are not
 * shipped with it. Nobody draws glyphs here, so Unicode itself serves as the glyph number: the first map is made from
 * the system's decoder, and the second one gives every number back.
 *
 * It also is the only way in which pdf.js can ask for a file, and it neither reads files nor goes to a network.
 */
export class SystemCMaps {
  private readonly families = new Set<string>();

  /** @throws Error when there is no such map; pdf.js then goes on without the font */
  fetch({ kind, filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    const map = kind === 'cMapUrl' ? this.mapOf(filename) : undefined;
    if (map === undefined) return Promise.reject(new Error(`${filename} is not available`));
    return Promise.resolve(new TextEncoder().encode(map));
  }

  private mapOf(name: string): string | undefined {
    const toUnicode = /^Adobe-(Japan1|GB1|CNS1|Korea1)-UCS2$/.exec(name);
    // Fonts that state real glyph numbers need Adobe's map: no text is better than wrong text.
    if (toUnicode) return this.families.has(toUnicode[1]!) ? unicodeMap() : undefined;
    const encoding = ENCODINGS.find(({ pattern }) => pattern.test(name));
    if (!encoding) return undefined;
    this.families.add(encoding.family);
    return encodingMap(name, encoding.label);
  }
}

const ENCODINGS = [
  { pattern: /RKSJ-[HV]$/, label: 'shift_jis', family: 'Japan1' },
  { pattern: /^(?:78-)?EUC-[HV]$/, label: 'euc-jp', family: 'Japan1' },
  { pattern: /^UniJIS-(?:UCS2|UTF16)-/, label: 'utf-16be', family: 'Japan1' },
  { pattern: /^GB(?:K|Kp|pc)?-EUC-[HV]$/, label: 'gbk', family: 'GB1' },
  { pattern: /^UniGB-(?:UCS2|UTF16)-/, label: 'utf-16be', family: 'GB1' },
  { pattern: /-B5-[HV]$|^B5pc-[HV]$/, label: 'big5', family: 'CNS1' },
  { pattern: /^UniCNS-(?:UCS2|UTF16)-/, label: 'utf-16be', family: 'CNS1' },
  { pattern: /^KSC(?:ms-UHC|pc-EUC|-EUC)(?:-HW)?-[HV]$/, label: 'euc-kr', family: 'Korea1' },
  { pattern: /^UniKS-(?:UCS2|UTF16)-/, label: 'utf-16be', family: 'Korea1' },
];

/** Glyph numbers of ASCII: real numbers below this are the most frequent, and must not be taken for letters. */
const ASCII_GLYPHS = 0xe000;
const FIRST_GLYPH = 0x2000;

const hex = (code: number, digits: number) => `<${code.toString(16).padStart(digits, '0')}>`;

function encodingMap(name: string, label: string): string {
  const single = label === 'utf-16be' ? [] : [`${hex(0x20, 2)} ${hex(0x7e, 2)} ${ASCII_GLYPHS + 0x20}`];
  return cmap(name, [
    ...section('codespacerange', label === 'utf-16be' ? ['<0000> <ffff>'] : codespaces(label)),
    ...section('cidrange', [...single, ...doubleByteRanges(label)]),
  ]);
}

function codespaces(label: string): string[] {
  const doubles = label === 'shift_jis' ? ['<8140> <9ffc>', '<e040> <fcfc>'] : ['<8140> <fefe>'];
  return ['<00> <80>', ...(label === 'shift_jis' ? ['<a0> <df>'] : []), ...doubles];
}

/** Runs of codes whose letters follow each other in Unicode, too. */
function doubleByteRanges(label: string): string[] {
  const decoder = new TextDecoder(label);
  const ranges: { first: number; last: number; glyph: number }[] = [];
  const firstLead = label === 'utf-16be' ? 0x00 : 0x81;
  for (let lead = firstLead; lead <= 0xfe; lead += 1) {
    for (let trail = label === 'utf-16be' ? 0x00 : 0x40; trail <= 0xff; trail += 1) {
      const glyph = glyphOf(decoder.decode(Uint8Array.of(lead, trail)));
      if (glyph === undefined) continue;
      const code = lead * 256 + trail;
      const last = ranges.at(-1);
      // A range must not run over the first byte.
      const follows =
        last && code === last.last + 1 && glyph === last.glyph + (code - last.first) && trail > 0;
      if (follows) last.last = code;
      else ranges.push({ first: code, last: code, glyph });
    }
  }
  return ranges.map(({ first, last, glyph }) => `${hex(first, 4)} ${hex(last, 4)} ${glyph}`);
}

function glyphOf(text: string): number | undefined {
  const point = text.length === 1 ? text.charCodeAt(0) : 0xfffd;
  if (point === 0xfffd || (point >= 0xd800 && point < 0xf900)) return undefined;
  return point < 0x80 ? ASCII_GLYPHS + point : point >= FIRST_GLYPH ? point : undefined;
}

function unicodeMap(): string {
  const ranges = [`${hex(ASCII_GLYPHS + 0x20, 4)} ${hex(ASCII_GLYPHS + 0x7e, 4)} <0020>`];
  for (let lead = FIRST_GLYPH >> 8; lead <= 0xff; lead += 1) {
    if (lead >= 0xd8 && lead < 0xf9) continue;
    ranges.push(`${hex(lead * 256, 4)} ${hex(lead * 256 + 255, 4)} ${hex(lead * 256, 4)}`);
  }
  return cmap('UCS2', section('bfrange', ranges));
}

const section = (name: string, lines: string[]) => [`${lines.length} begin${name}`, ...lines, `end${name}`];

function cmap(name: string, lines: string[]): string {
  const writingMode = name.endsWith('V') ? 1 : 0;
  return ['begincmap', `/CMapName /${name} def`, `/WMode ${writingMode} def`, ...lines, 'endcmap'].join('\n');
}
