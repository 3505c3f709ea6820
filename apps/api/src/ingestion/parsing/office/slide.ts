import { cleanText, withoutBullet } from '../clean-text.js';
import type { Block, TableBlock } from '../extracted-document.js';
import type { GridCell } from '../table-grid.js';
import { textCell, textTable } from '../text-table.js';
import { childrenNamed, find, findAll, type XmlElement } from '../xml.js';

/** What stands on one slide. */
export interface SlideContent {
  /** The title first, then the rest as it was laid down. */
  blocks: Block[];
  /** The running foot, which is no part of what the slide says. */
  footers: string[];
  /** References to pictures, with the block behind which each stands. */
  pictures: { reference: string; after: number }[];
  /** References to the data of diagrams. */
  diagrams: string[];
}

/** Reads the shapes of a slide or of its notes. @param page the number of the slide */
export function readSlide(root: XmlElement, page: number): SlideContent {
  const reader = new SlideReader(page);
  const tree = find(root, 'p:spTree');
  if (tree) reader.visit(tree);
  const { titles, body, footers, pictures, diagrams } = reader;
  return {
    blocks: [...titles, ...body],
    footers,
    pictures: pictures.map(({ reference, after }) => ({ reference, after: after + titles.length })),
    diagrams,
  };
}

class SlideReader {
  readonly titles: Block[] = [];
  readonly body: Block[] = [];
  readonly footers: string[] = [];
  readonly pictures: { reference: string; after: number }[] = [];
  readonly diagrams: string[] = [];

  constructor(private readonly page: number) {}

  visit(container: XmlElement): void {
    for (const shape of container.children) this.visitShape(shape);
  }

  private visitShape(shape: XmlElement): void {
    if (isHidden(shape)) return;
    if (shape.tagName === 'p:grpSp') this.visit(shape);
    else if (shape.tagName === 'mc:AlternateContent') this.visitAlternatives(shape);
    else if (shape.tagName === 'p:sp') this.readShape(shape);
    else if (shape.tagName === 'p:graphicFrame') this.readFrame(shape);
    else if (shape.tagName === 'p:pic') this.readPicture(shape);
  }

  /** The first choice is what PowerPoint shows; the others are its pictures for older programs. */
  private visitAlternatives(shape: XmlElement): void {
    const choice = find(shape, 'mc:Choice') ?? find(shape, 'mc:Fallback');
    if (choice) this.visit(choice);
  }

  private readShape(shape: XmlElement): void {
    const placeholder = find(shape, 'p:ph');
    const kind = placeholder ? (placeholder.getAttribute('type') ?? 'body') : undefined;
    const text = find(shape, 'p:txBody');
    if (!text || UNREAD_PLACEHOLDERS.has(kind ?? '')) return;
    const paragraphs = childrenNamed(text, 'a:p');
    if (kind === 'ftr') this.footers.push(...paragraphs.map(textOf).filter((line) => line !== ''));
    else if (kind === 'title' || kind === 'ctrTitle') {
      const title = cleanText(paragraphs.map(textOf).join(' '));
      if (title !== '') this.titles.push(this.block('heading', title, { level: 1 }));
    } else for (const paragraph of paragraphs) this.readParagraph(paragraph, kind);
  }

  private readParagraph(paragraph: XmlElement, placeholder: string | undefined): void {
    const text = textOf(paragraph);
    if (text === '') return;
    // The body of a slide is a list unless it says otherwise; a text box is one only if it says so.
    const properties = childrenNamed(paragraph, 'a:pPr')[0];
    const has = (name: string) => properties !== undefined && childrenNamed(properties, name).length > 0;
    const isList = placeholder === 'body' ? !has('a:buNone') : has('a:buChar') || has('a:buAutoNum');
    this.body.push(this.block(isList ? 'list-item' : 'paragraph', withoutBullet(text)));
  }

  private readFrame(frame: XmlElement): void {
    const table = find(frame, 'a:tbl');
    const block = table && readTable(table, this.page);
    if (block) this.body.push(block);
    else if (table) for (const row of rowsOf(table)) this.addText(row.map((cell) => cell.text).join(' '));
    const diagram = find(frame, 'dgm:relIds')?.getAttribute('r:dm');
    if (diagram) this.diagrams.push(diagram);
  }

  private readPicture(shape: XmlElement): void {
    const reference = find(shape, 'a:blip')?.getAttribute('r:embed');
    if (reference) this.pictures.push({ reference, after: this.body.length - 1 });
  }

  private addText(text: string): void {
    const clean = cleanText(text);
    if (clean !== '') this.body.push(this.block('paragraph', clean));
  }

  private block(kind: 'heading' | 'paragraph' | 'list-item', text: string, rest = {}): Block {
    return { kind, text, page: this.page, box: null, ...rest };
  }
}

/** A number or a date that stands on every slide. */
const UNREAD_PLACEHOLDERS = new Set(['dt', 'sldNum', 'hdr', 'sldImg']);

function isHidden(shape: XmlElement): boolean {
  const [properties] = [...shape.children].filter((child) => /^p:nv\w+Pr$/.test(child.tagName));
  return properties !== undefined && find(properties, 'p:cNvPr')?.getAttribute('hidden') === '1';
}

/** The text of one paragraph. */
export function textOf(paragraph: XmlElement): string {
  const parts = [...paragraph.children].map((run) => {
    if (run.tagName === 'a:br') return ' ';
    return run.tagName === 'a:r' || run.tagName === 'a:fld' ? (find(run, 'a:t')?.textContent ?? '') : '';
  });
  return cleanText(parts.join(''));
}

function readTable(table: XmlElement, page: number): TableBlock | undefined {
  const rows = rowsOf(table);
  const columnCount = Math.max(0, ...rows.map((row) => (row.at(-1)?.last ?? -1) + 1));
  return columnCount > 1 && rows.length > 1 ? textTable(rows, columnCount, { page }) : undefined;
}

function rowsOf(table: XmlElement): GridCell<string>[][] {
  const hasHeader = find(table, 'a:tblPr')?.getAttribute('firstRow') === '1';
  return childrenNamed(table, 'a:tr').map((row, index) =>
    childrenNamed(row, 'a:tc').flatMap((cell, column) => {
      // What a merged cell covers is there in the file, but not in the table.
      if (cell.getAttribute('hMerge') === '1' || cell.getAttribute('vMerge') === '1') return [];
      const last = column + Math.max(1, Number(cell.getAttribute('gridSpan') ?? 1)) - 1;
      const text = cleanText([...findAll(cell, 'a:p')].map(textOf).join(' '));
      return [textCell(text, column, { last, header: hasHeader && index === 0, bold: isBold(cell) })];
    }),
  );
}

function isBold(cell: XmlElement): boolean {
  const runs = [...findAll(cell, 'a:r')];
  return runs.length > 0 && runs.every((run) => find(run, 'a:rPr')?.getAttribute('b') === '1');
}
