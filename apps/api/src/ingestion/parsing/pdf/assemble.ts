import type { Draft, Line } from './draft.js';
import { linesInOrder } from './lines.js';
import type { PageContent } from './page-content.js';
import { continueTable, tableOf } from './tagged-table.js';
import { readTaggedPage, type TaggedBlock } from './tagged-page.js';

/** What one page gives, before pages are put together. */
export interface PageBlocks {
  number: number;
  empty: boolean;
  blocks: TaggedBlock[];
}

export function readBlocks(content: PageContent): PageBlocks {
  const { blocks, untagged } = readTaggedPage(content);
  const rest = linesInOrder(untagged.filter((span) => !span.artifact));
  return {
    number: content.number,
    empty: content.frames.length === 0,
    blocks: [...blocks, ...rest.map((line: Line) => ({ kind: 'paragraph' as const, lines: [line] }))],
  };
}

/** Pages in order; a table that goes on overleaf becomes one. */
export function assemble(pages: readonly PageBlocks[]): Draft[] {
  const joined: TaggedBlock[] = [];
  for (const { blocks } of pages) {
    const [first, ...others] = blocks;
    const last = joined.at(-1);
    const continued =
      first?.kind === 'tagged-table' && last?.kind === 'tagged-table' ? continueTable(last, first) : null;
    if (continued) joined.splice(-1, 1, continued, ...others);
    else joined.push(...blocks);
  }
  return joined.map((block) => (block.kind === 'tagged-table' ? tableOf(block) : block));
}
