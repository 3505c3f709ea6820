import type { ReadPart } from '../parsing/index.js';
import type { ExtractedPart, PartRange, RecognisedPage } from './extractor.js';

/**
 * Puts what was recognised on pages of a part where those pages are. What little text such a page had of its own is
 * seen on its picture, too, so it goes; unless nothing was recognised.
 */
export function withRecognisedPages(
  { pagesToRecognise: _, ...part }: ReadPart,
  pages: readonly RecognisedPage[],
  range: PartRange,
): ExtractedPart {
  const read = new Map(pages.filter(({ words }) => words > 0).map((page) => [page.page, page]));
  const blocks = part.blocks.filter(({ page }) => page === null || !read.has(page));
  for (const page of [...read.values()].sort((a, b) => a.page - b.page)) {
    const after = blocks.findIndex((block) => block.page !== null && block.page > page.page);
    blocks.splice(after === -1 ? blocks.length : after, 0, ...page.blocks);
  }
  const empty = pages.filter(({ page }) => !blocks.some((block) => block.page === page));
  const words = pages.reduce((sum, page) => sum + page.words, 0);
  const sureness = pages.reduce((sum, page) => sum + page.words * page.confidence, 0);
  return {
    ...part,
    blocks,
    warnings: [...part.warnings, ...empty.map(({ page }) => ({ code: 'page-without-text' as const, page }))],
    recognised: { words, confidence: words === 0 ? 0 : sureness / words },
    ...(part.seam && {
      seam: {
        ...part.seam,
        start: read.has(range.from) ? null : part.seam.start,
        end: read.has(range.to) ? null : part.seam.end,
      },
    }),
  };
}
