import type PDFDocument from 'pdfkit';

export type Pdf = InstanceType<typeof PDFDocument>;

export interface TextStyle {
  regular: string;
  bold: string;
  /** Points. */
  size: number;
  /** Points from one line's top to the next one's. */
  leading: number;
  color: string;
}

interface Segment {
  text: string;
  bold: boolean;
}
export type Line = Segment[];
type Word = Segment[];

/** Breaks text with `**bold**` parts into lines no wider than `width` points. */
export function breakLines(doc: Pdf, text: string, style: TextStyle, width: number): Line[] {
  const lines: Line[] = [];
  let line: Line = [];
  let used = 0;
  for (const word of wordsOf(text)) {
    const size = lineWidth(doc, word, style);
    const space = line.length > 0 ? measure(doc, { text: ' ', bold: false }, style) : 0;
    if (line.length > 0 && used + space + size > width) {
      lines.push(line);
      line = [];
      used = 0;
    }
    used += size + (line.length > 0 ? space : 0);
    append(line, word);
  }
  if (line.length > 0) lines.push(line);
  return lines;
}

/** Draws one line with its top left corner at x, y. */
function drawLine(doc: Pdf, line: Line, style: TextStyle, x: number, y: number): void {
  let left = x;
  for (const segment of line) {
    doc
      .font(segment.bold ? style.bold : style.regular)
      .fontSize(style.size)
      .fillColor(style.color);
    doc.text(segment.text, left, y, { lineBreak: false });
    left += doc.widthOfString(segment.text);
  }
}

export function drawLines(doc: Pdf, lines: Line[], style: TextStyle, x: number, y: number): void {
  lines.forEach((line, index) => drawLine(doc, line, style, x, y + index * style.leading));
}

function lineWidth(doc: Pdf, line: Line, style: TextStyle): number {
  return line.reduce((sum, segment) => sum + measure(doc, segment, style), 0);
}

function measure(doc: Pdf, segment: Segment, style: TextStyle): number {
  return doc
    .font(segment.bold ? style.bold : style.regular)
    .fontSize(style.size)
    .widthOfString(segment.text);
}

/** Words are separated by spaces; one word may be bold in part, as in `**Note**:`. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let word: Word = [];
  let bold = false;
  for (const token of text.split(/(\*\*|\s+)/)) {
    if (token === '**') bold = !bold;
    else if (/^\s+$/.test(token)) {
      if (word.length > 0) words.push(word);
      word = [];
    } else if (token) word.push({ text: token, bold });
  }
  if (word.length > 0) words.push(word);
  return words;
}

/** Adds a word to a line, joining neighbours of equal weight into one segment. */
function append(line: Line, word: Word): void {
  word.forEach((part, index) => {
    const last = line.at(-1);
    const gap = index === 0 && last ? ' ' : '';
    if (last && last.bold === part.bold) last.text += gap + part.text;
    else if (last && gap) {
      last.text += gap;
      line.push({ ...part });
    } else line.push({ ...part });
  });
}
