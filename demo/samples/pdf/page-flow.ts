import type { Pdf, TextStyle } from './rich-text.js';
import { MARGIN, PAGE, styles, TEAL } from './theme.js';

/** An element of the structure tree, by which assistive software reads the document. */
export type Tag = ReturnType<Pdf['struct']>;

/** Points that must be free to start a section on a page already begun. */
const SECTION_ROOM = 230;

/** Fills pages from top to bottom, column by column, with a running head and page numbers. */
export class PageFlow {
  y: number = MARGIN.top;
  pageNumber = 0;
  private columns: 1 | 2 = 1;
  private column = 0;
  private columnTop: number = MARGIN.top;
  private section = '';

  constructor(
    readonly doc: Pdf,
    readonly root: Tag,
    private readonly runningHead: { left: string; foot: string },
  ) {}

  get width(): number {
    const full = PAGE.width - MARGIN.left - MARGIN.right;
    return this.columns === 1 ? full : (full - MARGIN.gutter) / 2;
  }

  get x(): number {
    return MARGIN.left + this.column * (this.width + MARGIN.gutter);
  }

  get room(): number {
    return PAGE.height - MARGIN.bottom - this.y;
  }

  get atTop(): boolean {
    return this.y === this.columnTop;
  }

  startPage(columns: 1 | 2, section = ''): void {
    this.columns = columns;
    this.section = section;
    this.newPage();
  }

  /** Starts a section on the same page where a good part of it is still free, else on a new one. */
  startSection(columns: 1 | 2, section: string): void {
    if (columns === 1 && this.columns === 1 && this.room > SECTION_ROOM) {
      this.section = section;
      this.leaveSpace(26);
    } else this.startPage(columns, section);
  }

  /** Moves on to the next column or page unless so many points are free. */
  need(height: number): void {
    if (height > this.room && !this.atTop) this.advance();
  }

  advance(): void {
    if (this.column + 1 < this.columns) {
      this.column += 1;
      this.y = this.columnTop;
    } else this.newPage();
  }

  /** Vertical space, which is dropped at the top of a page. */
  leaveSpace(points: number): void {
    if (!this.atTop) this.y += points;
  }

  /** Makes what follows start below a title that spans all columns. */
  beginColumnsHere(): void {
    this.columnTop = this.y;
  }

  /** Adds a tagged element, or to one: `draw` runs at once and what it draws belongs to the element. */
  tag(type: string, parent: Tag, draw?: () => void): Tag {
    const element = this.doc.struct(type);
    parent.add(element);
    if (draw) element.add(draw);
    return element;
  }

  /** Decoration: drawn, but not read aloud. */
  artifact(draw: () => void): void {
    this.doc.markContent('Artifact', { type: 'Layout' });
    draw();
    this.doc.endMarkedContent();
  }

  private newPage(): void {
    this.doc.addPage();
    this.pageNumber += 1;
    this.column = 0;
    this.y = MARGIN.top;
    this.columnTop = MARGIN.top;
    if (this.pageNumber > 1) this.drawRunningHead();
  }

  private drawRunningHead(): void {
    const { doc } = this;
    const right = PAGE.width - MARGIN.right;
    doc.markContent('Artifact', { type: 'Pagination' });
    write(doc, styles.running, this.runningHead.left, MARGIN.left, 40);
    writeRight(doc, styles.running, this.section, right, 40);
    doc.moveTo(MARGIN.left, 56).lineTo(right, 56).lineWidth(0.75).strokeColor(TEAL).stroke();
    write(doc, styles.running, this.runningHead.foot, MARGIN.left, PAGE.height - 44);
    writeRight(doc, styles.running, `Page ${this.pageNumber}`, right, PAGE.height - 44);
    doc.endMarkedContent();
  }
}

export function write(doc: Pdf, style: TextStyle, text: string, x: number, y: number): void {
  doc.font(style.regular).fontSize(style.size).fillColor(style.color).text(text, x, y, { lineBreak: false });
}

export function writeRight(doc: Pdf, style: TextStyle, text: string, right: number, y: number): void {
  doc.font(style.regular).fontSize(style.size);
  write(doc, style, text, right - doc.widthOfString(text), y);
}
