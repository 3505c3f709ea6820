import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { SourceFile } from '../extraction/extractor.js';
import { isParseFailureCode, ParseFailure } from '../parsing/parse-failure.js';
import { ChildPool } from '../parsing/sandbox/child-pool.js';
import type { Frame } from '../parsing/sandbox/frames.js';
import { builtProgram, type SandboxedChild } from '../parsing/sandbox/sandboxed-child.js';
import type { PageImage, PageImageType, PlacedText } from './ocr-engine.js';
import type { RecognitionRequest } from './process/recognition-process.js';
import { type OcrConfig, ocrSection } from './recognition.config.js';

/** What is drawn: a file, or the bytes of a picture. */
export type PageSource = Pick<SourceFile, 'path' | 'mediaType' | 'password'> | { bytes: Uint8Array };

/** Draws pages and reads them, in processes of their own, of which each takes one core. */
@Injectable()
export class RecognitionProcesses implements OnApplicationShutdown {
  private readonly pool: ChildPool;
  /** The file that a process has from before. */
  private readonly held = new WeakMap<SandboxedChild, PageSource>();

  constructor(@Inject(ocrSection.token) private readonly config: OcrConfig) {
    this.pool = new ChildPool({
      program: { path: builtProgram('recognition/process/recognition-process'), addons: true },
      memoryMb: config.memoryMb,
      timeoutMs: config.timeoutMs,
      idleMs: config.idleMs,
      processes: this.concurrency,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    });
  }

  /** Pages that are worked on at the same time. */
  get concurrency(): number {
    return this.config.processes ?? availableParallelism();
  }

  /** Pages of a picture. @throws ParseFailure corrupt-file, image-too-large */
  async countPages(source: PageSource, signal: AbortSignal): Promise<number> {
    const { maxPixels } = this.config;
    const ask = async (child: SandboxedChild) =>
      answerOf(await send(child, { ask: 'count', maxPixels }, await bytesOf(source)));
    const { head } = await this.pool.run(ask, signal);
    return head['pages'] as number;
  }

  /**
   * Draws a page of a PDF or of a picture.
   * @param source the same object for all pages of a file, which is then sent but once to a process
   * @throws ParseFailure
   */
  async draw(source: PageSource, page: number, as: PageImageType, signal: AbortSignal): Promise<PageImage> {
    const { maxPixels } = this.config;
    const isPdf = 'mediaType' in source && source.mediaType === 'application/pdf';
    const password = 'password' in source ? source.password : undefined;
    const has = (child: SandboxedChild) => this.held.get(child) === source;
    const ask = async (child: SandboxedChild) => {
      const hasFile = has(child);
      const bytes = hasFile ? new Uint8Array() : await bytesOf(source);
      signal.throwIfAborted();
      this.held.delete(child);
      const request = { ask: 'draw', page, as, isPdf, hasFile, password, maxPixels } as const;
      const answer = answerOf(await send(child, request, bytes));
      this.held.set(child, source);
      return answer;
    };
    const { head, body } = await this.pool.run(ask, signal, { prefers: has });
    const { width, height, dpi } = head as unknown as Pick<PageImage, 'width' | 'height' | 'dpi'>;
    return { bytes: body, mediaType: as, width, height, dpi };
  }

  /** @throws ParseFailure */
  async recognise({ bytes, dpi }: PageImage, signal: AbortSignal): Promise<PlacedText> {
    const ask = async (child: SandboxedChild) =>
      answerOf(await send(child, { ask: 'recognise', dpi }, bytes));
    const { body } = await this.pool.run(ask, signal);
    return JSON.parse(body.toString('utf8')) as PlacedText;
  }

  /** How many processes there are, at work or resting. */
  get processes(): number {
    return this.pool.processes;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}

const send = (child: SandboxedChild, request: RecognitionRequest, bytes: Uint8Array) =>
  child.ask(request, bytes);

const bytesOf = (source: PageSource): Uint8Array | Promise<Uint8Array> =>
  'bytes' in source ? source.bytes : readFile(source.path);

function answerOf(answer: Frame): Frame {
  const { failure } = answer.head;
  if (typeof failure !== 'string') return answer;
  throw new ParseFailure(isParseFailureCode(failure) ? failure : 'recognition-failed');
}

/** A page of 12 million grey pixels, with room to spare. */
const MAX_OUTPUT_BYTES = 32 * 1_048_576;
