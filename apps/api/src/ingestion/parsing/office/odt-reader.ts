import { cleanText, withoutBullet } from '../clean-text.js';
import type { Block, TextBlock } from '../extracted-document.js';
import { isElement, isText } from '../html/dom.js';
import type { GridCell } from '../table-grid.js';
import { textCell, textTable } from '../text-table.js';
import { childrenNamed, find, type XmlElement } from '../xml.js';

/** Reads the body of an OpenDocument text into blocks, in order. */
export class OdtReader {
  readonly blocks: Block[] = [];
  /** Names of pictures in the archive, with the block behind which each stands. */
  readonly pictures: { name: string; after: number }[] = [];
  /** What stands apart from the line in which it is anchored: notes, comments, frames. They follow their paragraph. */
  private aside: XmlElement[] = [];

  /** @param titles names of the styles of titles and subtitles, with the level of heading that they stand for */
  constructor(private readonly titles: ReadonlyMap<string, number>) {}

  visit(container: XmlElement, kind: TextBlock['kind'] = 'paragraph'): void {
    let own = kind;
    for (const element of container.children) {
      this.visitElement(element, own);
      // Further paragraphs of a list item are not items of their own.
      if (element.tagName === 'text:p' && own === 'list-item') own = 'paragraph';
    }
  }

  private visitElement(element: XmlElement, kind: TextBlock['kind']): void {
    const { tagName } = element;
    if (UNREAD.has(tagName)) return;
    if (tagName === 'text:h')
      this.add('heading', element, Number(element.getAttribute('text:outline-level') ?? 1));
    else if (tagName === 'text:p') this.readParagraph(element, kind);
    else if (tagName === 'text:list')
      for (const item of element.children)
        this.visit(item, tagOf(item) === 'list-item' ? 'list-item' : 'paragraph');
    else if (tagName === 'table:table') this.readTable(element);
    else if (tagName === 'draw:frame') this.readFrame(element);
    else this.visit(element, kind);
  }

  private readParagraph(element: XmlElement, kind: TextBlock['kind']): void {
    const level = this.titles.get(element.getAttribute('text:style-name') ?? '');
    if (level !== undefined && kind === 'paragraph') this.add('heading', element, level);
    else this.add(kind, element);
  }

  private add(kind: TextBlock['kind'], element: XmlElement, level?: number): void {
    const raw = cleanText(this.textOf(element));
    const text = kind === 'list-item' ? withoutBullet(raw) : raw;
    if (text !== '')
      this.blocks.push({
        kind,
        ...(level !== undefined && { level: Math.min(6, level) }),
        text,
        page: null,
        box: null,
      });
    const aside = this.aside.splice(0);
    for (const part of aside) this.visitElement(part, 'paragraph');
  }

  private textOf(element: XmlElement): string {
    const parts = [...element.childNodes].map((node) => {
      if (isText(node)) return node.textContent ?? '';
      if (!isElement(node)) return '';
      return this.inlineText(node as unknown as XmlElement);
    });
    return parts.join('');
  }

  private inlineText(element: XmlElement): string {
    const { tagName } = element;
    if (SPACES.has(tagName)) return ' ';
    if (UNREAD.has(tagName)) return '';
    if (tagName === 'text:note') {
      const body = find(element, 'text:note-body');
      if (body) this.aside.push(body);
      return '';
    }
    if (APART.has(tagName)) {
      this.aside.push(element);
      return ' ';
    }
    return this.textOf(element);
  }

  private readFrame(frame: XmlElement): void {
    const image = childrenNamed(frame, 'draw:image')[0]?.getAttribute('xlink:href');
    const box = childrenNamed(frame, 'draw:text-box')[0];
    if (box) this.visit(box);
    else if (image) this.pictures.push({ name: image.replace(/^\.\//, ''), after: this.blocks.length - 1 });
  }

  private readTable(table: XmlElement): void {
    const rows = this.rowsOf(table, false);
    const columnCount = Math.max(0, ...rows.map((row) => (row.at(-1)?.last ?? -1) + 1));
    const isTable = columnCount > 1 && columnCount <= MAX_COLUMNS && rows.length > 1;
    const block = isTable ? textTable(rows, columnCount) : undefined;
    const aside = this.aside.splice(0);
    if (block) this.blocks.push(block);
    else
      for (const text of rows.flat().map((cell) => cell.text))
        if (text !== '') this.blocks.push({ kind: 'paragraph', text, page: null, box: null });
    for (const part of aside) this.visitElement(part, 'paragraph');
  }

  private rowsOf(container: XmlElement, header: boolean): GridCell<string>[][] {
    return [...container.children].flatMap((child) => {
      if (child.tagName === 'table:table-header-rows') return this.rowsOf(child, true);
      if (child.tagName === 'table:table-rows' || child.tagName === 'table:table-row-group')
        return this.rowsOf(child, header);
      if (child.tagName !== 'table:table-row') return [];
      const row = this.cellsOf(child, header);
      return row.some((cell) => cell.text !== '') ? [row] : [];
    });
  }

  private cellsOf(row: XmlElement, header: boolean): GridCell<string>[] {
    const cells: GridCell<string>[] = [];
    let column = 0;
    for (const cell of row.children) {
      const repeated = Math.min(MAX_COLUMNS, Number(cell.getAttribute('table:number-columns-repeated') ?? 1));
      if (cell.tagName === 'table:table-cell') {
        const text = cleanText([...cell.children].map((child) => this.inlineText(child)).join(' '));
        const span = Math.min(MAX_COLUMNS, Number(cell.getAttribute('table:number-columns-spanned') ?? 1));
        for (let i = 0; i < repeated; i += 1)
          cells.push(textCell(text, column + i, { last: column + i + span - 1, header }));
      }
      column += repeated;
    }
    return cells;
  }
}

const tagOf = ({ tagName }: XmlElement) => tagName.split(':')[1];

/** Deleted text, and lists of headings, which would compete with the sections that they name. */
const UNREAD = new Set(
  `text:tracked-changes office:annotation-end text:hidden-text text:hidden-paragraph office:forms
  text:table-of-content text:alphabetical-index text:illustration-index text:table-index text:object-index
  text:user-index text:sequence-decls text:variable-decls text:user-field-decls text:ruby-text svg:title svg:desc
  text:list-header-number draw:object draw:object-ole text:bibliography-configuration`.split(/\s+/),
);
const APART = new Set(['draw:frame', 'draw:text-box', 'draw:custom-shape', 'office:annotation']);
const SPACES = new Set(['text:s', 'text:tab', 'text:line-break']);
const MAX_COLUMNS = 100;
