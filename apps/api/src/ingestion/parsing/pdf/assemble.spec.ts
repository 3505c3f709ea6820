import { readFile } from 'node:fs/promises';
import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import type { Block } from '../extracted-document.js';
import { assemble, readBlocks } from './assemble.js';
import { finishBlocks } from './finish.js';
import { readPage } from './page-content.js';
import type { Operators } from './rulings.js';

/** The sample booklet is tagged, so what its tags say is the measure for what geometry finds without them. */
async function read(path: string, { withTags }: { withTags: boolean }): Promise<Block[]> {
  const { OPS } = await getResolvedPDFJS();
  const pdf = await getDocumentProxy(new Uint8Array(await readFile(path)), { verbosity: 0 });
  const pages = [];
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const content = await readPage(await pdf.getPage(number), number, OPS as unknown as Operators);
    if (!withTags) {
      content.tree = null;
      for (const span of content.frames.flatMap((frame) => frame.spans)) span.artifact = false;
    }
    pages.push(readBlocks(content));
  }
  await pdf.loadingTask.destroy();
  const { body, notes } = assemble(pages);
  return finishBlocks([...body, ...notes]);
}

const rowsOf = (blocks: Block[]) =>
  blocks.flatMap((block) =>
    block.kind === 'table'
      ? block.rows.map(({ page, group, label, cells }) =>
          [page, group, label, ...cells.map(({ header, text }) => `${header}: ${text}`)].join(' | '),
        )
      : [],
  );
const proseOf = (blocks: Block[]) => blocks.flatMap((block) => (block.kind === 'table' ? [] : [block.text]));

describe('A booklet of thirty pages, with columns and tables of many kinds', () => {
  const path = 'demo/samples/benefits-booklet.pdf';

  it('gives the same rows and the same text by geometry alone as by its tags', async () => {
    const [tagged, plain] = [await read(path, { withTags: true }), await read(path, { withTags: false })];
    expect(rowsOf(tagged).length).toBeGreaterThan(100);
    expect(rowsOf(plain)).toEqual(rowsOf(tagged));
    // Without tags, the caption of a table is a title above it.
    const captions = new Set(tagged.flatMap((block) => (block.kind === 'table' ? [block.caption] : [])));
    expect(proseOf(plain).filter((text) => !captions.has(text))).toEqual(proseOf(tagged));
  }, 60_000);
});
