import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { Block, ExtractedDocument, TableBlock, TextBlock } from './extracted-document.js';
import { ParseFailure } from './parse-failure.js';
import { textCell, textTable } from './text-table.js';

/**
 * Reads Markdown: headings, paragraphs, lists, pipe tables, quotes and code. Marks of emphasis and addresses of links
 * are dropped, so that the text is what a reader of the rendered page sees.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseMarkdown(bytes: Uint8Array): ExtractedDocument {
  const source = decodeText(bytes)
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/<!--[\s\S]*?-->/g, '');
  const reader = new MarkdownReader(source.split(/\r\n?|\n/));
  const blocks = reader.read();
  if (blocks.length === 0) throw new ParseFailure('no-text');
  const title = blocks.find((block): block is TextBlock => block.kind === 'heading' && block.level === 1);
  return { format: 'markdown', title: title?.text ?? null, pageCount: null, blocks, warnings: [] };
}

const FENCE = /^ {0,3}(```|~~~)/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?\s*#*\s*$/;
const UNDERLINE = /^ {0,3}(=+|-+)\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9}[.)]))\s+(?:\[[ xX]\]\s+)?(.*)$/;
const DELIMITER_ROW = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

class MarkdownReader {
  private readonly blocks: Block[] = [];
  private pending: string[] = [];
  private kind: TextBlock['kind'] = 'paragraph';
  private at = 0;

  constructor(private readonly lines: string[]) {}

  read(): Block[] {
    while (this.at < this.lines.length) this.readLine(this.lines[this.at]!.replace(/^\s*(>\s?)+/, ''));
    this.flush();
    return this.blocks;
  }

  private readLine(line: string): void {
    const next = this.lines[this.at + 1] ?? '';
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    const underline = this.pending.length > 0 && this.kind === 'paragraph' && UNDERLINE.exec(line);
    this.at += 1;
    if (FENCE.test(line)) this.readFence(FENCE.exec(line)![1]!);
    else if (heading) this.heading(heading[2] ?? '', heading[1]!.length);
    else if (underline) this.heading(this.takePending(), underline[1]!.startsWith('=') ? 1 : 2);
    else if (line.trim() === '' || RULE.test(line)) this.flush();
    else if (line.includes('|') && next.includes('-') && DELIMITER_ROW.test(next)) this.readTable(line);
    else if (item) {
      this.flush();
      this.kind = 'list-item';
      this.pending.push(item[1] ? `${item[1]} ${item[2]}` : item[2]!);
    } else this.pending.push(line);
  }

  private readFence(mark: string): void {
    this.flush();
    const end = this.lines.findIndex((line, i) => i >= this.at && line.trim().startsWith(mark));
    const code = this.lines.slice(this.at, end === -1 ? undefined : end);
    this.at = end === -1 ? this.lines.length : end + 1;
    this.add('paragraph', cleanText(code.join('\n')));
  }

  private readTable(header: string): void {
    this.flush();
    const rows = [header];
    this.at += 1;
    while (this.lines[this.at]?.includes('|')) rows.push(this.lines[this.at++]!);
    const table = tableOf(rows.map(cellsOf));
    if (table) this.blocks.push(table);
    else for (const row of rows) this.add('paragraph', cellsOf(row).join(' '));
  }

  private heading(text: string, level: number): void {
    this.flush();
    const title = plainText(text);
    if (title) this.blocks.push({ kind: 'heading', level, text: title, page: null, box: null });
  }

  private takePending(): string {
    return this.pending.splice(0).join(' ');
  }

  private flush(): void {
    this.add(this.kind, plainText(this.takePending()));
    this.kind = 'paragraph';
  }

  private add(kind: TextBlock['kind'], text: string): void {
    if (text !== '') this.blocks.push({ kind, text, page: null, box: null });
  }
}

function cellsOf(row: string): string[] {
  const inner = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => plainText(cell.replaceAll('\\|', '|')));
}

/** Undefined when there is nothing below the header, or nothing beside it. */
function tableOf(rows: string[][]): TableBlock | undefined {
  const columnCount = rows[0]!.length;
  const grid = rows.map((row, r) =>
    Array.from({ length: columnCount }, (_, column) =>
      textCell(row[column] ?? '', column, { header: r === 0 }),
    ),
  );
  return columnCount > 1 ? textTable(grid, columnCount) : undefined;
}

/** What a reader of the rendered page sees of a line. */
function plainText(markdown: string): string {
  const text = markdown
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<((?:https?:|mailto:)[^>\s]+)>/g, '$1')
    .replace(/<\/?[a-zA-Z][^>]*>/g, ' ')
    .replace(/`+([^`]+)`+/g, '$1')
    .replace(/(?<![\w\\])(\*\*\*|___|\*\*|__|\*|_|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)/g, '$2')
    .replace(/(?<![\w\\])(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)/g, '$2')
    .replace(/\\([\\`*_{}[\]()#+.!|>~-])/g, '$1')
    .replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (_, name: string) => ENTITIES[name]!);
  return cleanText(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  nbsp: ' ',
  '#39': "'",
};
