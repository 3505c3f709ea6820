import { Injectable } from '@nestjs/common';
import {
  PageRecognizer,
  type Picture,
  type RecognisedPage,
  type RecognisedPicture,
  type SourceFile,
} from '../extraction/extractor.js';
import { inParallel } from '../extraction/in-parallel.js';
import type { Block } from '../parsing/extracted-document.js';
import { ParseFailure } from '../parsing/parse-failure.js';
import { blocksOfPages } from './ocr-blocks.js';
import type { OcrResult } from './ocr-engine.js';
import { PageReader } from './page-reader.js';

/** Reads pages and pictures of documents, several at a time. One that cannot be read is given back empty. */
@Injectable()
export class OcrPageRecognizer extends PageRecognizer {
  constructor(private readonly reader: PageReader) {
    super();
  }

  async recognise(
    file: SourceFile,
    pages: readonly number[],
    signal: AbortSignal,
  ): Promise<RecognisedPage[]> {
    const texts = await this.readAll(pages, (page, either) => this.reader.read(file, page, either), signal);
    return blocksOfPages(
      pages.map((page, i) => ({ page, text: texts[i]! })),
      this.reader.minConfidence,
    );
  }

  async recognisePictures(pictures: readonly Picture[], signal: AbortSignal): Promise<RecognisedPicture[]> {
    const read = ({ bytes }: Picture, either: AbortSignal) => this.reader.read({ bytes }, 1, either);
    const texts = await this.readAll(pictures, read, signal);
    return pictures.map((picture, i) => {
      const [{ blocks, words, confidence }] = blocksOfPages(
        [{ page: 1, text: texts[i]! }],
        this.reader.minConfidence,
      ) as [RecognisedPage];
      return {
        after: picture.after,
        blocks: blocks.map((block) => inPicture(block, picture)),
        words,
        confidence,
      };
    });
  }

  private async readAll<T>(
    items: readonly T[],
    read: (item: T, signal: AbortSignal) => Promise<OcrResult>,
    signal: AbortSignal,
  ): Promise<OcrResult[]> {
    const texts: OcrResult[] = [];
    const readOne = async ([i, item]: [number, T], either: AbortSignal) => {
      texts[i] = await read(item, either).catch((error: unknown) => {
        either.throwIfAborted();
        if (!(error instanceof ParseFailure)) throw error;
        return NOTHING;
      });
    };
    await inParallel([...items.entries()], this.reader.concurrency, readOne, signal);
    return texts;
  }
}

const NOTHING: OcrResult = { kind: 'plain', text: '' };

/** Where it stands in the picture says nothing about where it stands in the document. */
function inPicture(block: Block, { page }: Picture): Block {
  const place = { page, box: null };
  if (block.kind !== 'table') return { ...block, ...place, lines: undefined };
  const rows = block.rows.map((row) => ({
    ...row,
    ...place,
    cells: row.cells.map((cell) => ({ ...cell, box: null })),
  }));
  return { ...block, ...place, rows };
}
