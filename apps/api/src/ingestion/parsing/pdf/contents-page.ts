import type { Line } from './draft.js';
import { rowsOf } from './segments.js';

/**
 * Lines without the entries of a table of contents, which would compete with the sections that they name: on a page
 * that says "Contents", all rows that end with a page number.
 */
export function withoutContents(lines: readonly Line[]): Line[] {
  const title = lines.find((line) => /^(table of )?contents$/i.test(line.text));
  if (!title) return [...lines];
  const entries = rowsOf(lines.filter((line) => line.rect.y0 > title.rect.y1)).filter((row) =>
    /(?:^|\s)(?:\d{1,4}|[ivx]{1,5})$/.test(row.at(-1)!.text),
  );
  if (entries.length < MIN_ENTRIES) return [...lines];
  const last = Math.max(...entries.flat().map((line) => line.rect.y1));
  // Titles of parts stand between the entries without a number.
  return lines.filter((line) => line.rect.y0 <= title.rect.y1 || line.rect.y0 > last);
}

const MIN_ENTRIES = 5;
