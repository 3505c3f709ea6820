import { Injectable, Optional } from '@nestjs/common';
import { type ParserFile, SandboxedParser, type WholeFile } from '../parsing/index.js';
import {
  type ExtractedPart,
  type ExtractionPlan,
  Extractor,
  PageRecognizer,
  type PartRange,
  type RecognisedPage,
  type SourceFile,
} from './extractor.js';
import { withRecognisedPages, withRecognisedPictures } from './recognised-pages.js';

/** After so many pages somebody hears that the work gets on. */
const PAGES_AT_ONCE = 4;

/** Reads documents in the sandboxed parser, and the pages of a PDF that are pictures as pictures. */
@Injectable()
export class DocumentExtractor extends Extractor {
  constructor(
    private readonly parser: SandboxedParser,
    @Optional() private readonly recognizer?: PageRecognizer,
  ) {
    super();
  }

  async plan(file: SourceFile, signal: AbortSignal): Promise<ExtractionPlan> {
    const plan = await this.parser.plan(parserFile(file), signal);
    return { ...plan, durationMs: null };
  }

  override async open(
    file: SourceFile,
    signal: AbortSignal,
  ): Promise<{ plan: ExtractionPlan; whole?: WholeFile }> {
    const { plan, whole } = await this.parser.open(parserFile(file), { whole: true }, signal);
    return { plan: { ...plan, durationMs: null }, whole };
  }

  async read(
    file: SourceFile,
    plan: ExtractionPlan,
    range: PartRange,
    signal: AbortSignal,
    alive?: () => void,
  ): Promise<ExtractedPart> {
    const options = { recognise: this.recognizer !== undefined, of: plan.parts.length };
    const part = await this.parser.read(parserFile(file), range, options, signal);
    const { pagesToRecognise = [], pictures = [] } = part;
    alive?.();
    if (this.recognizer && pictures.length > 0)
      return withRecognisedPictures(part, await this.recognizer.recognisePictures(pictures, signal));
    if (pagesToRecognise.length === 0) return part;
    return withRecognisedPages(part, await this.recognise(file, pagesToRecognise, signal, alive), range);
  }

  private async recognise(
    file: SourceFile,
    pages: readonly number[],
    signal: AbortSignal,
    alive?: () => void,
  ): Promise<RecognisedPage[]> {
    const read: RecognisedPage[] = [];
    for (let at = 0; at < pages.length; at += PAGES_AT_ONCE) {
      read.push(...(await this.recognizer!.recognise(file, pages.slice(at, at + PAGES_AT_ONCE), signal)));
      alive?.();
    }
    return read;
  }
}

const parserFile = ({ path, content, filename, mediaType, password }: SourceFile): ParserFile => ({
  path,
  content,
  filename,
  declaredType: mediaType,
  ...(password !== undefined && { password }),
});
