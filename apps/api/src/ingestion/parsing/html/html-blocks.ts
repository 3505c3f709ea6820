import { cleanText } from '../clean-text.js';
import type { Block, TextBlock } from '../extracted-document.js';
import { type DomElement, type DomNode, isBlock, isElement, isText, isUnseen, textOf } from './dom.js';
import { readHtmlTable } from './html-table.js';

/** Headings, paragraphs, list items and tables under an element, in order. */
export function htmlBlocks(root: DomElement): Block[] {
  return readHtml(root).blocks;
}

export interface HtmlContent {
  blocks: Block[];
  /** Those of the blocks that are nothing but a link or two, as menus and feet of pages are. */
  links: ReadonlySet<Block>;
  /** Addresses of pictures, with the index of the block behind which each stands. */
  pictures: { source: string; after: number }[];
}

export function readHtml(root: DomElement): HtmlContent {
  const reader = new BlockReader();
  reader.visit(root);
  reader.flush();
  return reader;
}

class BlockReader implements HtmlContent {
  readonly blocks: Block[] = [];
  readonly links = new Set<Block>();
  readonly pictures: { source: string; after: number }[] = [];
  private text = '';
  /** How much of the text stands in links. */
  private linkedLength = 0;
  /** Pictures in the middle of a text stand behind it. */
  private pending: string[] = [];
  private kind: TextBlock['kind'] = 'paragraph';
  private level = 0;

  visit(node: DomNode): void {
    if (isText(node)) this.text += node.textContent ?? '';
    if (!isElement(node) || isUnseen(node)) return;
    if (node.localName === 'br') this.text += ' ';
    if (node.localName === 'img') this.pending.push(node.getAttribute('src') ?? '');
    if (node.localName === 'a') return this.visitLink(node);
    if (!isBlock(node)) return this.visitChildren(node);
    this.flush();
    this.visitBlock(node);
    this.flush();
  }

  private visitLink(node: DomElement): void {
    const before = this.text.length;
    this.visitChildren(node);
    // A link around whole blocks was flushed with them.
    this.linkedLength += Math.max(0, this.text.length - before);
  }

  private visitBlock(element: DomElement): void {
    const { localName } = element;
    if (/^h[1-6]$/.test(localName)) return this.heading(element, Number(localName[1]));
    // The question of a fold-out answer, as pages of frequent questions have them.
    if (localName === 'summary') return this.heading(element, Math.min(6, this.level + 1), { nested: true });
    const table = localName === 'table' ? readHtmlTable(element) : undefined;
    if (table) {
      this.blocks.push(table);
      return;
    }
    if (localName !== 'li') return this.visitChildren(element);
    const outer = this.kind;
    this.kind = 'list-item';
    this.visitChildren(element);
    this.flush();
    this.kind = outer;
  }

  private visitChildren(element: DomElement): void {
    for (const child of element.childNodes) this.visit(child);
  }

  private heading(element: DomElement, level: number, { nested = false } = {}): void {
    const text = cleanText(textOf(element));
    if (text === '') return;
    if (!nested) this.level = level;
    this.blocks.push({ kind: 'heading', level, text, page: null, box: null });
  }

  flush(): void {
    const text = cleanText(this.text);
    const isLink = this.linkedLength > 0 && this.linkedLength >= text.replace(BETWEEN_LINKS, '').length;
    this.add(this.kind, text);
    if (text !== '' && isLink && text.length <= MAX_LINK_LENGTH) this.links.add(this.blocks.at(-1)!);
    for (const source of this.pending.splice(0))
      this.pictures.push({ source, after: this.blocks.length - 1 });
    this.text = '';
    this.linkedLength = 0;
  }

  private add(kind: TextBlock['kind'], text: string): void {
    if (text === '') return;
    this.blocks.push({ kind, text, page: null, box: null });
    // Further paragraphs of a list item are not items of their own.
    if (kind === 'list-item') this.kind = 'paragraph';
  }
}

/** What parts the links of a menu. */
const BETWEEN_LINKS = /\s*[|·•»/–-]\s*|\s+/g;
/** A sentence that is a link is a sentence. */
const MAX_LINK_LENGTH = 80;
