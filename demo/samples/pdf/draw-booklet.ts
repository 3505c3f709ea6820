import PDFDocument from 'pdfkit';
import type { Chapter } from '../booklet/content.js';
import { drawBlock, drawHeading } from './blocks.js';
import { PageFlow, type Tag, write, writeRight } from './page-flow.js';
import { breakLines, drawLines, type Pdf } from './rich-text.js';
import { MARGIN, PAGE, styles, TEAL } from './theme.js';

export interface Booklet {
  title: string;
  subtitle: string;
  publisher: string;
  /** Lines at the foot of the cover. */
  coverLines: string[];
  /** Stands at the foot of every page. */
  foot: string;
  /** Written into the file as its date, so that the same content gives the same bytes. */
  date: Date;
  chapters: Chapter[];
}

/** Draws a booklet as a tagged PDF. The first pass finds the page numbers for the table of contents. */
export async function drawBooklet(booklet: Booklet): Promise<Buffer> {
  const { pages } = await drawPass(booklet, new Map());
  return (await drawPass(booklet, pages)).bytes;
}

type PageNumbers = Map<string, number>;

async function drawPass(
  booklet: Booklet,
  known: PageNumbers,
): Promise<{ bytes: Buffer; pages: PageNumbers }> {
  const doc = openDocument(booklet);
  const bytes = collect(doc);
  const root = doc.struct('Document');
  doc.addStructure(root);
  const flow = new PageFlow(doc, root, { left: booklet.title, foot: booklet.foot });
  drawCover(flow, booklet);
  drawContents(flow, booklet.chapters, known);
  const pages: PageNumbers = new Map();
  booklet.chapters.forEach((chapter, index) => drawChapter(flow, chapter, index + 1, pages));
  doc.end();
  return { bytes: await bytes, pages };
}

function openDocument(booklet: Booklet): Pdf {
  return new PDFDocument({
    size: [PAGE.width, PAGE.height],
    margin: 0,
    autoFirstPage: false,
    tagged: true,
    pdfVersion: '1.7',
    lang: 'en-US',
    displayTitle: true,
    info: { Title: booklet.title, Author: booklet.publisher, CreationDate: booklet.date },
  });
}

function collect(doc: Pdf): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });
}

function drawCover(flow: PageFlow, booklet: Booklet): void {
  const { doc, root } = flow;
  flow.startPage(1);
  flow.artifact(() => {
    doc.rect(0, 0, PAGE.width, 430).fill(TEAL);
    doc.rect(0, 430, PAGE.width, 8).fill('#e0a83a');
  });
  const white = '#ffffff';
  const line = (type: string, text: string, size: number, y: number) => {
    const style = { ...styles.chapter, size, leading: size * 1.25, color: white };
    const lines = breakLines(doc, text, style, PAGE.width - MARGIN.left - MARGIN.right);
    flow.tag(type, root, () => drawLines(doc, lines, style, MARGIN.left, y));
  };
  line('P', booklet.publisher, 15, 90);
  line('H1', booklet.title, 36, 190);
  line('P', booklet.subtitle, 14, 350);
  flow.y = 500;
  for (const text of booklet.coverLines) {
    const lines = breakLines(doc, text, styles.body, flow.width);
    flow.tag('P', root, () => drawLines(doc, lines, styles.body, MARGIN.left, flow.y));
    flow.y += lines.length * styles.body.leading + 6;
  }
}

function drawContents(flow: PageFlow, chapters: Chapter[], known: PageNumbers): void {
  flow.startPage(2, 'Contents');
  drawHeading(flow, 'H1', 'Contents', styles.chapter, flow.root);
  flow.y += 6;
  flow.beginColumnsHere();
  const contents = flow.tag('TOC', flow.root);
  chapters.forEach((chapter, index) => {
    const headings = chapter.blocks.flatMap((block) => (block.kind === 'heading' ? [block.text] : []));
    flow.need(styles.tocChapter.leading + Math.min(2, headings.length) * styles.tocHeading.leading);
    flow.leaveSpace(3);
    drawEntry(flow, contents, numbered(chapter, index + 1), known, styles.tocChapter, 0);
    for (const heading of headings) drawEntry(flow, contents, heading, known, styles.tocHeading, 16);
  });
}

function drawEntry(
  flow: PageFlow,
  contents: Tag,
  title: string,
  known: PageNumbers,
  style: (typeof styles)['tocChapter'],
  indent: number,
): void {
  const { doc } = flow;
  flow.need(style.leading);
  const left = flow.x + indent;
  const right = flow.x + flow.width;
  // The space keeps the title and the number apart for those who hear them.
  const page = ` ${known.get(title) ?? ''}`;
  flow.tag('Link', flow.tag('TOCI', contents), () => {
    write(doc, style, title, left, flow.y);
    writeRight(doc, style, page, right, flow.y);
    doc.goTo(left, flow.y, right - left, style.leading, title);
  });
  flow.artifact(() => {
    const start = left + doc.font(style.regular).fontSize(style.size).widthOfString(title) + 6;
    const dots = Math.floor((right - start - 24) / 4);
    for (let dot = 0; dot < dots; dot += 1) doc.circle(right - 22 - dot * 4, flow.y + style.size - 2, 0.45);
    doc.fill(styles.small.color);
  });
  flow.y += style.leading;
}

function drawChapter(flow: PageFlow, chapter: Chapter, number: number, pages: PageNumbers): void {
  const title = numbered(chapter, number);
  flow.startSection(chapter.columns, title);
  const section = flow.tag('Sect', flow.root);
  drawHeading(flow, 'H1', title, styles.chapter, section, PAGE.width - MARGIN.left - MARGIN.right);
  flow.y += 6;
  flow.beginColumnsHere();
  pages.set(title, flow.pageNumber);
  const bookmark = flow.doc.outline.addItem(title);
  for (const [index, block] of chapter.blocks.entries()) {
    drawBlock(flow, block, chapter.blocks[index + 1], section);
    if (block.kind === 'heading') {
      pages.set(block.text, flow.pageNumber);
      bookmark.addItem(block.text);
    }
  }
}

const numbered = (chapter: Chapter, number: number) => `${number}. ${chapter.title}`;
