import { withoutBullet } from '../clean-text.js';
import type { Line, TextDraft } from './draft.js';
import { median, union } from './geometry.js';
import { baselineOf } from './segments.js';

/** Paragraphs and list items of lines that stand below each other in one column. */
export function paragraphsOf(lines: readonly Line[]): TextDraft[] {
  if (lines.length === 0) return [];
  const column = measure(lines);
  const drafts: TextDraft[] = [];
  for (const line of lines) {
    const current = drafts.at(-1);
    const isItem = ITEM.test(line.text);
    if (current && !isItem && continues(current, line, column)) current.lines.push(line);
    else drafts.push({ kind: isItem ? 'list-item' : 'paragraph', lines: [line] });
  }
  for (const draft of drafts) {
    const [first] = draft.lines;
    if (draft.kind === 'list-item' && first) draft.lines[0] = { ...first, text: withoutBullet(first.text) };
  }
  return drafts;
}

interface Column {
  left: number;
  right: number;
  /** Usual distance of baselines, and the size of the print that has it. */
  leading: number;
  size: number;
}

function measure(lines: readonly Line[]): Column {
  const { x0, x1 } = union(lines.map((line) => line.rect));
  const size = median(lines.map((line) => line.size));
  const steps = lines
    .slice(1)
    .map((line, i) => baselineOf(line) - baselineOf(lines[i]!))
    .filter((step) => step > 0 && step < 2 * size);
  return { left: x0, right: x1, leading: median(steps) || 1.2 * size, size };
}

function continues({ kind, lines }: TextDraft, line: Line, column: Column): boolean {
  const first = lines[0]!;
  const last = lines.at(-1)!;
  if (isOtherSize(line.size, last.size) || line.bold !== last.bold) return false;
  const step = baselineOf(line) - baselineOf(last);
  const leading =
    ownLeading(lines) ?? (isOtherSize(line.size, column.size) ? 1.25 * line.size : column.leading);
  if (step <= 0 || step > 1.25 * leading) return false;
  const { left, right } = column;
  const isShort = last.rect.x1 < right - 0.25 * (right - left);
  const em = line.size;
  if (kind === 'list-item') {
    // Lines of an item hang behind its bullet; text that goes back to the margin is no longer its own.
    const isBack = line.rect.x0 < first.rect.x0 + 0.3 * em;
    if (isBack) return lines.length > 1 ? last.rect.x0 < first.rect.x0 + 0.3 * em : !isShort;
    return true;
  }
  const endsSentence = /[.!?:]["”’)]?$/.test(last.text);
  if (isShort && (endsSentence || step > 1.5 * em)) return false;
  const isIndented = lines.length > 1 && line.rect.x0 > last.rect.x0 + 0.8 * em;
  return !(isIndented && endsSentence);
}

/** A paragraph of two lines shows how far apart its lines stand. */
function ownLeading(lines: readonly Line[]): number | undefined {
  const [before, last] = lines.slice(-2);
  return before && last && before.page === last.page ? baselineOf(last) - baselineOf(before) : undefined;
}

const isOtherSize = (a: number, b: number) => Math.abs(a - b) > 0.08 * b;

const ITEM = /^(?:[•▪●◦‣⁃∙·■□▢➢➤✓✔]\s*|[*–—-]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{2,4})[.)]\s+)\S/u;
