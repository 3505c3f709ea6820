import type { Block } from '../booklet/content.js';
import type { PageFlow, Tag } from './page-flow.js';
import { breakLines, drawLines, type Line, type TextStyle } from './rich-text.js';
import { drawTable } from './table.js';
import { PALE, styles, TEAL } from './theme.js';

/** Draws one block where the flow stands and leaves the flow below it. `next` is the block that follows it. */
export function drawBlock(flow: PageFlow, block: Block, next: Block | undefined, parent: Tag): void {
  switch (block.kind) {
    case 'heading':
      flow.leaveSpace(12);
      flow.need(styles.heading.leading + roomToBegin(next));
      return drawHeading(flow, 'H2', block.text, styles.heading, parent);
    case 'subheading':
      flow.leaveSpace(6);
      flow.need(styles.subheading.leading + roomToBegin(next));
      return drawHeading(flow, 'H3', block.text, styles.subheading, parent);
    case 'paragraph':
      return drawParagraph(flow, block.text, styles.body, parent);
    case 'smallprint':
      return drawParagraph(flow, block.text, styles.small, parent);
    case 'list':
      return drawList(flow, block, parent);
    case 'note':
      return drawNote(flow, block, parent);
    case 'table':
      return drawTable(flow, block, parent);
  }
}

/** Points below a heading without which it would be cut off from what it announces. */
function roomToBegin(next: Block | undefined): number {
  if (next?.kind === 'table') return 250;
  return next?.kind === 'note' ? 110 : 4 * styles.body.leading;
}

export function drawHeading(
  flow: PageFlow,
  type: string,
  text: string,
  style: TextStyle,
  parent: Tag,
  width = flow.width,
): void {
  const lines = breakLines(flow.doc, text, style, width);
  flow.doc.addNamedDestination(text, 'XYZ', flow.x, flow.y, null);
  flow.tag(type, parent, () => drawLines(flow.doc, lines, style, flow.x, flow.y));
  flow.y += lines.length * style.leading + 5;
}

function drawParagraph(flow: PageFlow, text: string, style: TextStyle, parent: Tag): void {
  const lines = breakLines(flow.doc, text, style, flow.width);
  drawFlowing(flow, flow.tag('P', parent), lines, style, 0);
  flow.y += 7;
}

function drawList(flow: PageFlow, block: Extract<Block, { kind: 'list' }>, parent: Tag): void {
  const style = styles.body;
  const indent = block.ordered ? 20 : 14;
  const list = flow.tag('L', parent);
  block.items.forEach((item, index) => {
    const lines = breakLines(flow.doc, item, style, flow.width - indent);
    flow.need(Math.min(lines.length, 2) * style.leading);
    const entry = flow.tag('LI', list);
    const label: Line = [{ text: block.ordered ? `${index + 1}.` : '•', bold: false }];
    flow.tag('Lbl', entry, () => drawLines(flow.doc, [label], style, flow.x + 3, flow.y));
    drawFlowing(flow, flow.tag('LBody', entry), lines, style, indent);
    flow.y += 3;
  });
  flow.y += 5;
}

/** A boxed remark; it is never split. */
function drawNote(flow: PageFlow, block: Extract<Block, { kind: 'note' }>, parent: Tag): void {
  const { doc } = flow;
  const inset = 14;
  const lines = breakLines(doc, block.text, styles.body, flow.width - 2 * inset);
  const height = styles.noteTitle.leading + lines.length * styles.body.leading + 20;
  flow.leaveSpace(4);
  flow.need(height);
  flow.artifact(() => {
    doc.rect(flow.x, flow.y, flow.width, height).fill(PALE);
    doc.rect(flow.x, flow.y, 4, height).fill(TEAL);
  });
  const box = flow.tag('Div', parent);
  const title: Line = [{ text: block.title, bold: true }];
  const top = flow.y + 9;
  flow.tag('P', box, () => drawLines(doc, [title], styles.noteTitle, flow.x + inset, top));
  const textTop = top + styles.noteTitle.leading + 1;
  flow.tag('P', box, () => drawLines(doc, lines, styles.body, flow.x + inset, textTop));
  flow.y += height + 10;
}

/** Draws lines over as many columns and pages as they need, never leaving a single line behind. */
function drawFlowing(flow: PageFlow, tag: Tag, lines: Line[], style: TextStyle, indent: number): void {
  let rest = lines;
  while (rest.length > 0) {
    let fit = Math.floor(flow.room / style.leading);
    if (fit < Math.min(2, rest.length)) {
      flow.advance();
      continue;
    }
    if (rest.length - fit === 1 && fit > 2) fit -= 1;
    const part = rest.slice(0, fit);
    tag.add(() => drawLines(flow.doc, part, style, flow.x + indent, flow.y));
    flow.y += part.length * style.leading;
    rest = rest.slice(fit);
  }
}
