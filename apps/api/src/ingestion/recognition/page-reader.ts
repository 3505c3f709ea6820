import { Inject, Injectable } from '@nestjs/common';
import { ParseFailure } from '../parsing/parse-failure.js';
import { OcrEngine, type OcrResult } from './ocr-engine.js';
import { type OcrConfig, ocrSection } from './recognition.config.js';
import { type PageSource, RecognitionProcesses } from './recognition-processes.js';
import { countFailure, observePage } from './recognition.metrics.js';

/** Draws single pages and has them read. */
@Injectable()
export class PageReader {
  constructor(
    private readonly processes: RecognitionProcesses,
    private readonly engine: OcrEngine,
    @Inject(ocrSection.token) private readonly config: Pick<OcrConfig, 'minConfidence'>,
  ) {}

  /** How many pages are read at the same time; others wait. One more than are drawn keeps all processes busy. */
  get concurrency(): number {
    return this.processes.concurrency + 1;
  }

  get minConfidence(): number {
    return this.config.minConfidence;
  }

  /** @throws ParseFailure, DependencyUnavailable, DependencyTimeout */
  async read(source: PageSource, page: number, signal: AbortSignal): Promise<OcrResult> {
    try {
      return await this.attempt(source, page, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isCrash(error)) throw counted(error);
    }
    // Somebody may have killed the process; a page that kills it does so again.
    try {
      return await this.attempt(source, page, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw counted(isCrash(error) ? new ParseFailure('recognition-failed', { cause: error }) : error);
    }
  }

  private async attempt(source: PageSource, page: number, signal: AbortSignal): Promise<OcrResult> {
    const startedMs = performance.now();
    const image = await this.processes.draw(source, page, this.engine.imageType, signal);
    const text = await this.engine.recognise(image, signal);
    observePage(this.engine.name, performance.now() - startedMs, confidenceOf(text));
    return text;
  }
}

const isCrash = (error: unknown) => error instanceof ParseFailure && error.code === 'parser-crashed';

function counted(error: unknown): unknown {
  if (error instanceof ParseFailure) countFailure(error.code);
  return error;
}

function confidenceOf(text: OcrResult): number | undefined {
  if (text.kind === 'plain') return undefined;
  const words = text.lines.flatMap((line) => line.words);
  return words.length > 0 ? words.reduce((sum, word) => sum + word.confidence, 0) / words.length : undefined;
}
