import type { ReadPart } from '../parsing/index.js';
import type { ExtractedPart, PartRange, RecognisedPage, RecognisedPicture } from './extractor.js';

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
  return {
    ...part,
    blocks,
    warnings: [...part.warnings, ...empty.map(({ page }) => ({ code: 'page-without-text' as const, page }))],
    ...recognisedIn(pages),
    ...(part.seam && {
      seam: {
        ...part.seam,
        start: read.has(range.from) ? null : part.seam.start,
        end: read.has(range.to) ? null : part.seam.end,
      },
    }),
  };
}

/** Puts what was recognised in the pictures of a part behind the blocks after which they stand. */
export function withRecognisedPictures(
  { pictures: _, ...part }: ExtractedPart,
  recognised: readonly RecognisedPicture[],
): ExtractedPart {
  const after = (index: number) =>
    recognised.filter((picture) => picture.after === index).flatMap((picture) => picture.blocks);
  const blocks = [...after(-1), ...part.blocks.flatMap((block, i) => [block, ...after(i)])];
  return { ...part, blocks, ...recognisedIn(recognised) };
}

/** Absent when nobody told how sure he is. */
function recognisedIn(
  read: readonly Pick<RecognisedPage, 'words' | 'confidence'>[],
): Pick<ExtractedPart, 'recognised'> {
  const rated = read.flatMap(({ words, confidence }) =>
    confidence === undefined ? [] : [{ words, confidence }],
  );
  const words = rated.reduce((sum, page) => sum + page.words, 0);
  if (words === 0) return {};
  const sureness = rated.reduce((sum, page) => sum + page.words * page.confidence, 0);
  return { recognised: { words, confidence: sureness / words } };
}
