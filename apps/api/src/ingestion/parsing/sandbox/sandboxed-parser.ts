import { readFile } from 'node:fs/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ExtractedDocument } from '../extracted-document.js';
import { isParseFailureCode, ParseFailure } from '../parse-failure.js';
import { ChildPool } from './child-pool.js';
import type { Frame } from './frames.js';
import type { ParseRequest } from './parser-process.js';
import { builtProgram } from './sandboxed-child.js';
import { type ParserConfig, parserSection } from './parsing.config.js';

export interface ParseInput {
  /** Where the bytes are; read by this process, the parser never sees the file system. */
  path: string;
  /** As the person named it. */
  filename: string;
  declaredType?: string;
  signal?: AbortSignal;
}

export interface Parsed {
  /** What the content is, whatever the name says. */
  mediaType: string;
  document: ExtractedDocument;
}

/** Reads files in processes of their own, so that a bad file costs at most its own reading. */
@Injectable()
export class SandboxedParser implements OnApplicationShutdown {
  private readonly pool: ChildPool;

  constructor(@Inject(parserSection.token) private readonly config: ParserConfig) {
    this.pool = new ChildPool({
      ...config,
      program: { path: builtProgram('parsing/sandbox/parser-process') },
      maxOutputBytes: MAX_OUTPUT_BYTES,
    });
  }

  /**
   * Finds out what a file is and reads it.
   * @throws ParseFailure when it cannot be read, within the limits or at all
   * @throws the signal's reason when it aborts first
   */
  parse({ path, filename, declaredType, signal }: ParseInput): Promise<Parsed> {
    return this.pool.run(async (child) => {
      const file = await readFile(path);
      signal?.throwIfAborted();
      const { maxPages } = this.config;
      const request: ParseRequest = { filename, declaredType, maxPages, maxOutputBytes: MAX_OUTPUT_BYTES };
      return resultOf(await child.ask(request, file));
    }, signal);
  }

  /** How many processes there are, at work or resting. */
  get processes(): number {
    return this.pool.processes;
  }

  /** Stops all processes. Files being read fail with `parser-crashed`. */
  close(): Promise<void> {
    return this.pool.close();
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}

function resultOf({ head, body }: Frame): Parsed {
  const { failure, mediaType } = head;
  if (typeof failure === 'string')
    throw new ParseFailure(isParseFailureCode(failure) ? failure : 'parser-crashed');
  if (typeof mediaType !== 'string') throw new ParseFailure('parser-crashed');
  return { mediaType, document: JSON.parse(body.toString('utf8')) as ExtractedDocument };
}

/** Text and places of about 20,000 dense pages. */
const MAX_OUTPUT_BYTES = 64 * 1_048_576;
