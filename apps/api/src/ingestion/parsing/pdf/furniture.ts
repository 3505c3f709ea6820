import type { Line } from './draft.js';

/** Running heads, feet and page numbers: the same words at the edge of many pages. */
export class Furniture {
  private readonly pagesOf = new Map<string, Set<number>>();
  private readonly pages = new Set<number>();
  private readonly largest = new Map<string, number>();

  /** Looks at the lines of a page, of the author's artifacts and of the rest alike. */
  see(lines: readonly Line[]): void {
    for (const line of lines) {
      this.pages.add(line.page);
      this.largest.set(line.text, Math.max(line.size, this.largest.get(line.text) ?? 0));
      if (!isAtEdge(line)) continue;
      const key = keyOf(line);
      const pages = this.pagesOf.get(key) ?? new Set();
      this.pagesOf.set(key, pages.add(line.page));
    }
  }

  has(line: Line): boolean {
    if (!isAtEdge(line)) return false;
    // A running head repeats the title of its section in small print.
    if ((this.largest.get(line.text) ?? 0) > 1.1 * line.size) return true;
    const pages = this.pagesOf.get(keyOf(line))?.size ?? 0;
    const all = this.pages.size;
    return (pages >= 2 && pages * 2 >= all) || (pages >= 3 && pages * 8 >= all);
  }
}

/** Whether a line stands where pages have their running heads and feet. */
export const isAtEdge = ({ box }: Line) => box.y < EDGE || box.y + box.height > 1 - EDGE;

/** Page numbers differ, and left and right pages mirror each other, so only the edge and the words count. */
function keyOf({ text, box }: Line): string {
  const words = text.toLowerCase().replace(/\d+|\b[ivxlc]+\b/g, '#');
  return `${box.y < 0.5 ? 'head' : 'foot'} ${words}`;
}

/** Share of the page's height. */
const EDGE = 0.12;
