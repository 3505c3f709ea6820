import { Injectable } from '@nestjs/common';
import { SandboxedParser } from '../parsing/index.js';
import { type ExtractedPart, type ExtractionPlan, Extractor, type SourceFile } from './extractor.js';

/** Reads documents in the sandboxed parser. */
@Injectable()
export class DocumentExtractor extends Extractor {
  constructor(private readonly parser: SandboxedParser) {
    super();
  }

  async plan(file: SourceFile, signal: AbortSignal): Promise<ExtractionPlan> {
    const { mediaType, document } = await this.parse(file, signal);
    return {
      mediaType,
      format: document.format,
      title: document.title,
      pageCount: document.pageCount,
      durationMs: null,
      unit: 'whole',
      parts: [{ from: 1, to: 1 }],
    };
  }

  async read(
    file: SourceFile,
    _plan: ExtractionPlan,
    _part: unknown,
    signal: AbortSignal,
  ): Promise<ExtractedPart> {
    const { document } = await this.parse(file, signal);
    return { blocks: document.blocks, warnings: document.warnings };
  }

  private parse({ path, filename, mediaType }: SourceFile, signal: AbortSignal) {
    return this.parser.parse({ path, filename, declaredType: mediaType, signal });
  }
}
