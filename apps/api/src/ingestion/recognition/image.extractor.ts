import { Inject, Injectable } from '@nestjs/common';
import {
  type ExtractedPart,
  type ExtractionPlan,
  Extractor,
  type PartRange,
  type SourceFile,
} from '../extraction/extractor.js';
import { FORMAT_OF_MEDIA_TYPE, ParseFailure, type ParserConfig, parserSection } from '../parsing/index.js';
import { blocksOfPages } from './ocr-blocks.js';
import { PageReader } from './page-reader.js';
import { countFailure } from './recognition.metrics.js';
import { RecognitionProcesses } from './recognition-processes.js';

/** Reads the text in pictures, of which a TIFF may hold many: each is a page and a part of its own. */
@Injectable()
export class ImageExtractor extends Extractor {
  constructor(
    private readonly processes: RecognitionProcesses,
    private readonly reader: PageReader,
    @Inject(parserSection.token) private readonly config: Pick<ParserConfig, 'maxPages'>,
  ) {
    super();
  }

  async plan(file: SourceFile, signal: AbortSignal): Promise<ExtractionPlan> {
    const pageCount = await this.countPages(file, signal);
    return {
      mediaType: file.mediaType,
      format: FORMAT_OF_MEDIA_TYPE[file.mediaType]!,
      title: null,
      pageCount,
      durationMs: null,
      unit: 'pages',
      parts: Array.from({ length: pageCount }, (_, i) => ({ from: i + 1, to: i + 1 })),
    };
  }

  async read(
    file: SourceFile,
    { pageCount }: ExtractionPlan,
    { from: page }: PartRange,
    signal: AbortSignal,
  ): Promise<ExtractedPart> {
    try {
      const text = await this.reader.read(file, page, signal);
      const [{ blocks, words, confidence }] = blocksOfPages([{ page, text }], this.reader.minConfidence) as [
        ReturnType<typeof blocksOfPages>[number],
      ];
      return {
        blocks,
        warnings: blocks.length === 0 ? [{ code: 'page-without-text', page }] : [],
        // Absent when the engine does not tell how sure it is.
        ...(confidence !== undefined && { recognised: { words, confidence } }),
      };
    } catch (error) {
      // One broken page costs that page only, as long as there are others.
      if (pageCount === 1 || !(error instanceof ParseFailure)) throw error;
      return { blocks: [], warnings: [{ code: 'page-unreadable', page }] };
    }
  }

  private async countPages(file: SourceFile, signal: AbortSignal): Promise<number> {
    try {
      const pages = await this.processes.countPages(file, signal);
      if (pages > this.config.maxPages) throw new ParseFailure('too-complex');
      return pages;
    } catch (error) {
      if (error instanceof ParseFailure) countFailure(error.code);
      throw error;
    }
  }
}
