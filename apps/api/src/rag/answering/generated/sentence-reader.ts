import { sentencesOf, type Span } from '../../text/index.js';
import { MARKER } from './markers.js';

/** A sentence of a text that is being written. All of them, put together, are the text. */
export interface WrittenSentence {
  /** The white space before it. */
  lead: string;
  /** The sign of a list item, a heading or a quotation that it begins. */
  sign: string;
  text: string;
}

/**
 * Cuts a text into sentences while it is being written, however it is cut into deltas. A line ends its sentence, as
 * models write lists and headings; markers behind a full stop belong to the sentence before them.
 */
export class SentenceReader {
  private line = '';
  /** How much of the line has been given out. */
  private taken = 0;
  private lead = '';

  /** The sentences that this delta completed. */
  push(delta: string): WrittenSentence[] {
    const lines = (this.line + delta).split('\n');
    const complete: WrittenSentence[] = [];
    for (const line of lines.slice(0, -1)) {
      this.line = line;
      complete.push(...this.endLine());
      this.lead += '\n';
    }
    this.line = lines.at(-1)!;
    return [...complete, ...this.takeSettled()];
  }

  /** The text is at its end: what was still open. */
  finish(): WrittenSentence[] {
    return this.endLine();
  }

  private endLine(): WrittenSentence[] {
    const sentences = this.take(spansOf(this.line));
    this.lead += this.line.slice(this.taken);
    this.line = '';
    this.taken = 0;
    return sentences;
  }

  /** The sentences of the open line that nothing can change any more: those before a sentence that has begun. */
  private takeSettled(): WrittenSentence[] {
    const spans = spansOf(this.line);
    const last = spans.pop();
    // An opening bracket may become a marker, which would belong to the sentence before.
    return !last || /^[[【]/.test(this.line.slice(last.start)) ? [] : this.take(spans);
  }

  private take(spans: Span[]): WrittenSentence[] {
    return spans
      .filter(({ start }) => start >= this.taken)
      .map(({ start, end }) => {
        const [, space = '', sign = ''] = /^(\s*)(.*)$/s.exec(this.line.slice(this.taken, start)) ?? [];
        const sentence = { lead: this.lead + space, sign, text: this.line.slice(start, end) };
        this.lead = '';
        this.taken = end;
        return sentence;
      });
  }
}

/** The sentences of a line, without the sign that the line begins with. */
function spansOf(line: string): Span[] {
  const from = SIGN.exec(line)![0].length;
  const spans: Span[] = [];
  for (const { start, end } of sentencesOf(line.slice(from))) {
    const span = { start: from + start, end: from + end };
    const before = spans.at(-1);
    const markers = before && LEADING_MARKERS.exec(line.slice(span.start, span.end))?.[0];
    if (markers) {
      before.end = span.start + markers.trimEnd().length;
      span.start += markers.length;
    }
    if (span.start < span.end) spans.push(span);
  }
  return spans;
}

/** "- ", "1. ", "## ", "> " and what stands inside one another. */
const SIGN = /^\s*(?:(?:[-*+•–>]|#{1,6}|\d{1,2}[.)])\s+)*/;
const LEADING_MARKERS = new RegExp(`^(?:${MARKER.source}\\s*)+`, 'iu');
