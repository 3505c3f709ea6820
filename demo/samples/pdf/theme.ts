import type { TextStyle } from './rich-text.js';

/** US Letter, in points. */
export const PAGE = { width: 612, height: 792 } as const;
export const MARGIN = { left: 58, right: 58, top: 74, bottom: 60, gutter: 24 } as const;

export const TEAL = '#0f5f68';
export const PALE = '#eaf3f3';
export const RULE = '#b9cfd1';
const INK = '#1d2529';
const GRAY = '#5a666b';

const helvetica = { regular: 'Helvetica', bold: 'Helvetica-Bold' };
const bold = { regular: 'Helvetica-Bold', bold: 'Helvetica-Bold' };

export const styles = {
  body: { ...helvetica, size: 9.5, leading: 13.4, color: INK },
  small: { ...helvetica, size: 8.5, leading: 11.5, color: GRAY },
  cell: { ...helvetica, size: 9, leading: 11.5, color: INK },
  rowHead: { ...bold, size: 9, leading: 11.5, color: INK },
  columnHead: { ...bold, size: 9, leading: 11.5, color: '#ffffff' },
  caption: { ...bold, size: 10, leading: 14, color: TEAL },
  running: { ...helvetica, size: 8, leading: 10, color: GRAY },
  chapter: { ...bold, size: 22, leading: 28, color: TEAL },
  heading: { ...bold, size: 14, leading: 18, color: TEAL },
  subheading: { ...bold, size: 11, leading: 15, color: INK },
  noteTitle: { ...bold, size: 10, leading: 14, color: TEAL },
  tocChapter: { ...bold, size: 9.5, leading: 14, color: INK },
  tocHeading: { ...helvetica, size: 8.5, leading: 11.5, color: INK },
} satisfies Record<string, TextStyle>;
