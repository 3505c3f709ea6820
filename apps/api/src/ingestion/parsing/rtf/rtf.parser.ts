import { cleanText } from '../clean-text.js';
import type { ExtractedDocument } from '../extracted-document.js';
import { ParseFailure } from '../parse-failure.js';
import { RtfBlocks, type RowShape } from './rtf-blocks.js';
import { RtfFonts } from './rtf-fonts.js';
import { type RtfToken, rtfTokens } from './rtf-tokens.js';

/**
 * Reads Rich Text Format: paragraphs, headings by their outline level or style, lists, tables. What is hidden or
 * deleted, heads and feet of pages, pictures and embedded objects are left out.
 * @throws ParseFailure corrupt-file, no-text
 */
export function parseRtf(bytes: Uint8Array): ExtractedDocument {
  const reader = new RtfReader();
  for (const token of rtfTokens(bytes)) reader.read(token);
  const { blocks, title } = reader.finish();
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format: 'rtf', title, pageCount: null, blocks, warnings: [] };
}

/** What holds inside a group of braces and ends with it. */
interface Group {
  /** Where its text goes. `aside` drops text, but groups inside may be read; of `nowhere` nothing is. */
  into: 'text' | 'note' | 'styles' | 'title' | 'aside' | 'nowhere';
  font: number | undefined;
  /** How many letters follow a `\u` for readers that know no Unicode. */
  replacements: number;
  hidden: boolean;
  bold: boolean;
  /** Of the paragraph: its level as a heading, and whether it is in a list or in a table. */
  level: number | undefined;
  isItem: boolean;
  isInTable: boolean;
}

const OUTERMOST: Group = {
  into: 'text',
  font: undefined,
  replacements: 1,
  hidden: false,
  bold: false,
  level: undefined,
  isItem: false,
  isInTable: false,
};

class RtfReader {
  private readonly fonts = new RtfFonts();
  private readonly output = new RtfBlocks();
  private readonly headings = new Map<number, number>();
  private groups: Group[] = [];
  private group: Group = { ...OUTERMOST };
  private isFirstInGroup = false;
  private isOptional = false;
  private bytes: number[] = [];
  private skip = 0;
  private text = '';
  private title = '';
  private hasBold = false;
  private hasPlain = false;
  /** Footnotes stand in the middle of a sentence; they follow its paragraph. */
  private note = '';
  /** Of the style under way, in the table of styles. */
  private style: number | undefined;
  private styleName = '';
  private shape: RowShape = { isHeader: false, edges: [] };
  private goesOn = false;

  read(token: RtfToken): void {
    if (token.kind === 'byte') return this.readByte(token.value);
    this.flush();
    if (token.kind === 'open') this.open();
    else if (token.kind === 'close') this.close();
    else this.readWord(token.name, token.value);
  }

  finish(): { blocks: RtfBlocks['blocks']; title: string | null } {
    this.flush();
    this.endParagraph();
    this.output.endTable();
    return { blocks: this.output.blocks, title: cleanText(this.title) || null };
  }

  private readByte(byte: number): void {
    this.isFirstInGroup = false;
    if (this.skip > 0) this.skip -= 1;
    else this.bytes.push(byte);
  }

  private flush(): void {
    if (this.bytes.length > 0) this.write(this.fonts.decode(this.bytes.splice(0), this.group.font));
  }

  private write(text: string): void {
    const { into, hidden, bold } = this.group;
    if (into === 'title') this.title += text;
    if (into === 'note') this.note += text;
    if (into === 'styles') this.styleName += text;
    if (into !== 'text' || hidden) return;
    this.text += text;
    if (text.trim() === '') return;
    if (bold) this.hasBold = true;
    else this.hasPlain = true;
  }

  private open(): void {
    if (this.groups.length >= MAX_DEPTH) throw new ParseFailure('too-complex');
    this.groups.push({ ...this.group });
    this.isFirstInGroup = true;
    this.isOptional = false;
  }

  private close(): void {
    if (this.group.into === 'styles') this.endStyle();
    this.group = this.groups.pop() ?? this.group;
    this.skip = 0;
  }

  private readWord(name: string, value: number | undefined): void {
    const isFirst = this.isFirstInGroup;
    this.isFirstInGroup = name === '*' && isFirst;
    if (name === '*') this.isOptional = true;
    else if (isFirst && this.isDestination(name)) return;
    if (this.group.into === 'nowhere') return;
    this.skip = 0;
    if (this.readCharacter(name, value) || this.readFormat(name, value)) return;
    if (this.group.into === 'note' && name === 'par') this.note += ' ';
    if (this.group.into === 'text' && !this.readParagraph(name, value)) this.readTable(name, value);
  }

  /** A group says first what it is; one that is optional and not known is left out. */
  private isDestination(name: string): boolean {
    const wasOptional = this.isOptional;
    this.isOptional = false;
    const into = DESTINATIONS[name];
    if (into === undefined && !(wasOptional && !READ_ALTHOUGH_OPTIONAL.has(name))) return false;
    if (this.group.into !== 'nowhere') this.group.into = into ?? 'nowhere';
    if (name === 'listtext' || name === 'pntext') this.groups.at(-1)!.isItem = true;
    return into !== undefined;
  }

  private readCharacter(name: string, value: number | undefined): boolean {
    const character = CHARACTERS[name];
    if (character !== undefined) this.write(character);
    else if (name === 'u') {
      this.write(String.fromCharCode((value ?? 0x20) & 0xffff));
      this.skip = this.group.replacements;
    } else return false;
    return true;
  }

  private readFormat(name: string, value: number | undefined): boolean {
    const { group } = this;
    const isOn = value !== 0;
    if (name === 'uc') group.replacements = Math.max(0, value ?? 1);
    else if (name === 'f') group.font = value;
    else if (name === 'fcharset' && group.font !== undefined) this.fonts.setCharset(group.font, value ?? 0);
    else if (name === 'ansicpg') this.fonts.setCodepage(value ?? 1_252);
    else if (name === 'b') group.bold = isOn;
    else if (name === 'v' || name === 'deleted') group.hidden = isOn;
    else if (name === 'plain') Object.assign(group, { bold: false, hidden: false });
    else if (name === 's' && group.into === 'styles') this.style = value;
    else return false;
    return true;
  }

  private readParagraph(name: string, value: number | undefined): boolean {
    const { group } = this;
    if (name === 'par' || name === 'sect' || name === 'page') this.endLine();
    else if (name === 'pard') Object.assign(group, { level: undefined, isItem: false, isInTable: false });
    else if (name === 'outlinelevel')
      group.level = value !== undefined && value < 6 ? value + 1 : group.level;
    else if (name === 's') group.level = this.headings.get(value ?? 0) ?? group.level;
    else if (name === 'ls' || name === 'pnlvlblt') group.isItem = true;
    else if (name === 'intbl') group.isInTable = true;
    else return false;
    return true;
  }

  private readTable(name: string, value: number | undefined): void {
    if (name === 'trowd') this.shape = { isHeader: false, edges: [] };
    else if (name === 'trhdr') this.shape.isHeader = true;
    else if (name === 'clvmrg') this.goesOn = true;
    else if (name === 'cellx') this.addEdge(value ?? 0);
    else if (name === 'cell') this.endCell();
    else if (name === 'row') this.output.row(this.shape);
    else if (name === 'nestcell' || name === 'nestrow') this.text += ' ';
  }

  private addEdge(right: number): void {
    this.shape.edges.push({ right, goesOn: this.goesOn });
    this.goesOn = false;
  }

  private endLine(): void {
    if (this.group.isInTable) this.text += ' ';
    else this.endParagraph();
  }

  private endParagraph(): void {
    const { level, isItem } = this.group;
    const kind = level !== undefined ? 'heading' : isItem ? 'list-item' : 'paragraph';
    this.output.paragraph(this.text, kind, level);
    this.output.paragraph(this.note, 'paragraph');
    this.note = '';
    this.startText();
  }

  private endCell(): void {
    this.output.cell(this.text, this.hasBold && !this.hasPlain);
    this.startText();
  }

  private startText(): void {
    this.text = '';
    this.hasBold = false;
    this.hasPlain = false;
  }

  /** "heading 2;" in the table of styles. */
  private endStyle(): void {
    const level =
      /^\s*heading ([1-6])\b/i.exec(this.styleName)?.[1] ?? (/^\s*title\b/i.test(this.styleName) ? '1' : '');
    if (this.style !== undefined && level !== '') this.headings.set(this.style, Number(level));
    this.style = undefined;
    this.styleName = '';
  }
}

const DESTINATIONS: Readonly<Record<string, Group['into']>> = {
  fonttbl: 'aside',
  info: 'aside',
  stylesheet: 'styles',
  title: 'title',
  listtext: 'text',
  pntext: 'text',
  footnote: 'note',
  ...Object.fromEntries(
    `colortbl pict object header headerl headerr headerf footer footerl footerr footerf fldinst xe tc rxe sn sv
    bkmkstart bkmkend annotation atnid atnauthor comment author operator keywords subject doccomm company private`
      .split(/\s+/)
      .map((name) => [name, 'nowhere' as const]),
  ),
};

/** Optional, and read all the same. */
const READ_ALTHOUGH_OPTIONAL = new Set(['shpinst', 'nesttableprops', 'cs', 'ts', 'ds']);

const CHARACTERS: Readonly<Record<string, string>> = {
  tab: ' ',
  line: ' ',
  emdash: '—',
  endash: '–',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
  emspace: ' ',
  enspace: ' ',
  '~': ' ',
  _: '-',
  '-': '',
};

const MAX_DEPTH = 2_000;
