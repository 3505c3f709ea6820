import { cleanText } from '../clean-text.js';
import type { Block, TextBlock } from '../extracted-document.js';
import { type DomElement, type DomNode, isBlock, isElement, isText, isUnseen, textOf } from './dom.js';
import { readHtmlTable } from './html-table.js';

/** Headings, paragraphs, list items and tables under an element, in order. */
export function htmlBlocks(root: DomElement): Block[] {
  const reader = new BlockReader();
  reader.visit(root);
  return reader.blocks;
}

class BlockReader {
  readonly blocks: Block[] = [];
  private text = '';
  private kind: TextBlock['kind'] = 'paragraph';
  private level = 0;

  visit(node: DomNode): void {
    if (isText(node)) this.text += node.textContent ?? '';
    if (!isElement(node) || isUnseen(node)) return;
    if (node.localName === 'br') this.text += ' ';
    if (!isBlock(node)) return this.visitChildren(node);
    this.flush();
    this.visitBlock(node);
    this.flush();
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

  private flush(): void {
    this.add(this.kind, cleanText(this.text));
    this.text = '';
  }

  private add(kind: TextBlock['kind'], text: string): void {
    if (text === '') return;
    this.blocks.push({ kind, text, page: null, box: null });
    // Further paragraphs of a list item are not items of their own.
    if (kind === 'list-item') this.kind = 'paragraph';
  }
}
