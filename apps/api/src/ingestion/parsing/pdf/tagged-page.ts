import { cleanText, withoutBullet } from '../clean-text.js';
import type { Line, TextDraft } from './draft.js';
import { linesInOrder } from './lines.js';
import type { Span } from './frame.js';
import type { PageContent, StructNode } from './page-content.js';
import type { SketchCell, TableSketch } from './table-sketch.js';

/** What the structure tree of one page says, in logical order. */
export type TaggedBlock = TextDraft | TableSketch;

/** Put by pdf.js before the id of a form field that the tree refers to. */
const FIELD_PREFIX = /^pdfjs_internal_id_/;

const TABLE_PARTS = new Set(['THead', 'TBody', 'TFoot']);
const BLOCKS = new Set(
  `Document DocumentFragment Part Sect Art Div Aside NonStruct Root BlockQuote Index TOC TOCI P H Title
  L LI LBody Table Caption Figure Note FENote Footnote Textbox Story`.split(/\s+/),
);

/** Blocks of a page from its structure tree, and the spans that the tree does not mention. */
export function readTaggedPage(content: PageContent): { blocks: TaggedBlock[]; untagged: Span[] } {
  const reader = new TreeReader(content);
  if (content.tree) reader.read(content.tree);
  return { blocks: reader.blocks, untagged: reader.unread() };
}

class TreeReader {
  readonly blocks: TaggedBlock[] = [];
  private readonly byId = new Map<string, Span[]>();
  private readonly spans: Span[];

  constructor(private readonly content: PageContent) {
    this.spans = content.frames.flatMap((frame) => frame.spans);
    for (const span of this.spans) {
      if (!span.contentId || span.artifact) continue;
      const sharing = this.byId.get(span.contentId);
      if (sharing) sharing.push(span);
      else this.byId.set(span.contentId, [span]);
    }
  }

  read(node: StructNode): void {
    const role = node.role ?? '';
    if (role === 'Table') return this.readTable(node);
    // A table of contents would compete with the sections that it names.
    if (role === 'TOC') return void this.take(node);
    if (role === 'LI') return this.readListItem(node);
    if (/^(H[1-6]?|Title)$/.test(role)) return this.addText('heading', [node], headingLevel(role));
    let inline: StructNode[] = [];
    const flush = () => {
      if (inline.length > 0) this.addText('paragraph', inline);
      inline = [];
    };
    for (const child of node.children ?? []) {
      if (!isBlock(child)) inline.push(child);
      else {
        flush();
        this.read(child);
      }
    }
    flush();
  }

  unread(): Span[] {
    const left = new Set([...this.byId.values()].flat());
    return this.spans.filter((span) => !span.artifact && (!span.contentId || left.has(span)));
  }

  private addText(kind: TextDraft['kind'], nodes: StructNode[], level?: number): void {
    const lines = linesInOrder(nodes.flatMap((node) => this.take(node)));
    if (lines.length > 0) this.blocks.push({ kind, ...(level ? { level } : {}), lines });
  }

  /** The item's own text, then nested lists and tables as blocks of their own. */
  private readListItem(node: StructNode): void {
    const own: StructNode[] = [];
    const nested: StructNode[] = [];
    const sort = (child: StructNode) => {
      if (child.role === 'L' || child.role === 'Table') nested.push(child);
      else if (child.role === 'LBody' || child.role === 'P') child.children?.forEach(sort);
      else own.push(child);
    };
    node.children?.forEach(sort);
    this.addText('list-item', own);
    const item = this.blocks.at(-1);
    if (item?.kind === 'list-item') item.lines[0]!.text = withoutBullet(item.lines[0]!.text);
    for (const child of nested) this.read(child);
  }

  private readTable(node: StructNode): void {
    const rows: SketchCell[][] = [];
    let caption: string | null = null;
    const readRows = (parent: StructNode, inHead: boolean) => {
      for (const child of parent.children ?? []) {
        if (child.role === 'TR') rows.push(this.readRow(child, inHead));
        else if (TABLE_PARTS.has(child.role ?? '')) readRows(child, child.role === 'THead');
        else if (child.role === 'Caption')
          caption = cleanText(
            linesInOrder(this.take(child))
              .map((line) => line.text)
              .join(' '),
          );
      }
    };
    readRows(node, false);
    if (rows.some((row) => row.some((cell) => cell.paragraphs.length > 0))) {
      const alt = node.alt ? cleanText(node.alt) : null;
      this.blocks.push({ kind: 'table-sketch', caption: caption || alt, rows });
    }
  }

  private readRow(row: StructNode, inHead: boolean): SketchCell[] {
    return (row.children ?? [])
      .filter((cell) => cell.role === 'TD' || cell.role === 'TH')
      .map((cell) => ({ header: inHead || cell.role === 'TH', paragraphs: this.readCell(cell) }));
  }

  private readCell(cell: StructNode): Line[][] {
    const paragraphs: StructNode[][] = [];
    let inline: StructNode[] | null = null;
    const visit = (node: StructNode) => {
      if (!isBlock(node)) {
        if (!inline) paragraphs.push((inline = []));
        inline.push(node);
        return;
      }
      inline = null;
      node.children?.forEach(visit);
      inline = null;
    };
    cell.children?.forEach(visit);
    return paragraphs
      .map((nodes) => linesInOrder(nodes.flatMap((node) => this.take(node))))
      .filter((lines) => lines.length > 0);
  }

  /** Spans under a node, each only once even if two elements claim it. */
  private take(node: StructNode): Span[] {
    if (node.id && node.type) {
      const id = node.id.replace(FIELD_PREFIX, '');
      const spans = this.byId.get(id) ?? [];
      this.byId.delete(id);
      return spans;
    }
    return (node.children ?? []).flatMap((child) => this.take(child));
  }
}

function isBlock(node: StructNode): boolean {
  if (!node.role) return false;
  return BLOCKS.has(node.role) || /^H[1-6]$/.test(node.role) || (node.children ?? []).some(isBlock);
}

const headingLevel = (role: string) => (role === 'Title' ? 1 : Number(role.slice(1)) || 2);
