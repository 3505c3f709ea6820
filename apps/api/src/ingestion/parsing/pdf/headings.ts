import type { Line, TextDraft } from './draft.js';

/**
 * Makes headings of short paragraphs that are set apart by size or weight, in documents whose author did not mark
 * any. Levels follow from the styles in use: the larger, the higher.
 */
export function promoteHeadings(drafts: readonly TextDraft[]): void {
  const body = bodySize(drafts.flatMap((draft) => draft.lines));
  const headings = drafts.filter((draft) => mayBeHeading(draft) && looksLikeHeading(draft, body));
  const styles = [...new Set(headings.map(styleOf))].sort((a, b) => b - a);
  for (const heading of headings) {
    heading.kind = 'heading';
    heading.style = styleOf(heading);
    heading.level = levelOf(heading.style, styles);
  }
}

/** @param styles in use, the one that stands out most first */
export const levelOf = (style: number, styles: readonly number[]) =>
  Math.min(MAX_LEVEL, styles.indexOf(style) + 1);

/** The size in which most letters are printed. */
function bodySize(lines: readonly Line[]): number {
  const letters = new Map<number, number>();
  for (const line of lines) {
    const size = halfPoints(line.size);
    letters.set(size, (letters.get(size) ?? 0) + line.text.length);
  }
  return [...letters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

const halfPoints = (size: number) => Math.round(size * 2) / 2;

/** "1. Introduction" looks like an item of a list until its print is seen. */
function mayBeHeading({ kind, lines: [first] }: TextDraft): boolean {
  return kind === 'paragraph' || (kind === 'list-item' && /^\d+(\.\d+)*[.)]?\s/.test(first?.text ?? ''));
}

function looksLikeHeading({ lines }: TextDraft, body: number): boolean {
  const text = lines.map((line) => line.text).join(' ');
  const [first] = lines;
  if (!first || lines.length > 3 || text.split(' ').length > MAX_WORDS) return false;
  if (!/\p{L}{2}/u.test(text) || /[.;,]$/.test(text)) return false;
  if (first.size >= 1.12 * body) return true;
  return first.size >= 0.95 * body && (lines.every((line) => line.bold) || isCapitals(text));
}

function isCapitals(text: string): boolean {
  return (text.match(/\p{Lu}/gu)?.length ?? 0) >= 4 && text === text.toUpperCase();
}

/** One number for how much a style stands out: size first, then weight. */
const styleOf = ({ lines: [first] }: TextDraft) => halfPoints(first!.size) * 2 + (first!.bold ? 1 : 0);

const MAX_WORDS = 16;
const MAX_LEVEL = 6;
