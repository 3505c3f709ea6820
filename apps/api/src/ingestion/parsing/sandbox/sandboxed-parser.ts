import { readFile } from 'node:fs/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { PassageBatch } from '../../../rag/passages/index.js';
import type { PartDetail } from '../../extraction/part-detail.js';
import type { StructureOptions } from '../../passages/structure-part.js';
import type { FilePlan, ReadPart, ReadRange } from '../open-file.js';
import { isParseFailureCode, ParseFailure } from '../parse-failure.js';
import { ChildPool } from './child-pool.js';
import { type Frame, sectionsOf, withSections } from './frames.js';
import type { Described } from './parser-process.js';
import type { PlanRequest, ReadRequest, StructureRequest } from './parser-request.js';
import { type ParserConfig, parserSection } from './parsing.config.js';
import { builtProgram, type SandboxedChild } from './sandboxed-child.js';

export interface ParserFile {
  /** Where the bytes are; read by this process, the parser never sees the file system. */
  path: string;
  /** What is there, for who has it in memory. */
  content?: Buffer;
  /** As the person named it. */
  filename: string;
  declaredType?: string;
  password?: string;
}

/** What a file is, whatever its name says, and how it is to be read. */
export interface ParserPlan extends FilePlan {
  mediaType: string;
}

/** A file that was read and cut in one go. */
export interface WholeFile {
  /** A `ReadPart` as JSON. */
  part: Buffer;
  detail: PartDetail;
  structure: StructureStep;
}

export interface StructureStep {
  /** For the next part: as a parser process wrote it; empty after the last one. */
  state: Buffer;
  batches: PassageBatch[];
  /** Made so far, in batches or not. */
  passages: number;
  /** ISO 639-1, after the last part; null when there is too little text to say. */
  language: string | null;
}

/**
 * Reads files in processes of their own, so that a bad file costs at most its own reading. A process keeps the file
 * that it has read from, so that the bytes of a large one are sent once to each process and not for each part.
 */
@Injectable()
export class SandboxedParser implements OnApplicationShutdown {
  private readonly pool: ChildPool;
  /** What each process has open. */
  private readonly held = new WeakMap<SandboxedChild, string>();

  constructor(@Inject(parserSection.token) private readonly config: ParserConfig) {
    this.pool = new ChildPool({
      ...config,
      program: { path: builtProgram('parsing/sandbox/parser-process') },
      maxOutputBytes: MAX_OUTPUT_BYTES,
    });
  }

  /**
   * Finds out what a file is.
   * @throws ParseFailure when it cannot be read, within the limits or at all
   * @throws the signal's reason when it aborts first
   */
  async plan(file: ParserFile, signal?: AbortSignal): Promise<ParserPlan> {
    return (await this.open(file, { whole: false }, signal)).plan;
  }

  /**
   * The same, and all the rest of a file that is read as a whole and needs nobody else, where that is wanted.
   * @throws as `plan`
   */
  async open(
    file: ParserFile,
    { whole }: { whole: boolean },
    signal?: AbortSignal,
  ): Promise<{ plan: ParserPlan; whole?: WholeFile }> {
    const answer = await this.ask(file, { operation: 'plan', whole }, { keep: true }, signal);
    const { mediaType, passages } = answer.head;
    if (typeof mediaType !== 'string') throw new ParseFailure('parser-crashed');
    const [json, part, detail, ...structure] = sectionsOf(answer);
    const plan = { mediaType, ...(JSON.parse(json!.toString('utf8')) as FilePlan) };
    if (passages === undefined) return { plan };
    return {
      plan,
      whole: {
        part: part!,
        detail: JSON.parse(detail!.toString('utf8')) as PartDetail,
        structure: stepOf(answer.head, structure),
      },
    };
  }

  /**
   * @param recognise whether somebody reads pages as pictures
   * @param of parts that the file has; unless there is but one, the process keeps the file for the next
   * @throws as `plan`
   */
  async read(
    file: ParserFile,
    range: ReadRange,
    { recognise = false, of = 1 }: { recognise?: boolean; of?: number } = {},
    signal?: AbortSignal,
  ): Promise<ReadPart> {
    const options = { keep: of > 1, isPatient: of > MANY_PARTS };
    const answer = await this.ask(file, { operation: 'read', range, recognise }, options, signal);
    const [json, ...bytes] = sectionsOf(answer);
    const { attachments, pictures, ...part } = JSON.parse(json!.toString('utf8')) as Described;
    const read: ReadPart = part;
    if (attachments.length > 0)
      read.attachments = attachments.map((one, i) => ({ ...one, bytes: bytes[i]! }));
    if (pictures.length > 0)
      read.pictures = pictures.map((one, i) => ({ ...one, bytes: bytes[attachments.length + i]! }));
    return read;
  }

  /**
   * Makes the passages of one more part of a document.
   * @param state from the part before; null for the first one
   * @param part as it was packed
   * @throws as `plan`
   */
  async structure(
    state: Buffer | null,
    part: Buffer,
    { owner, ...options }: StructureOptions & { owner?: string },
    signal?: AbortSignal,
  ): Promise<StructureStep> {
    const { head, body } = withSections({ operation: 'structure', ...options }, [
      state ?? Buffer.alloc(0),
      part,
    ]);
    const work = (child: SandboxedChild) => child.ask(head as unknown as StructureRequest, body);
    const answer = checked(
      await this.pool.run(work, signal, { owner, isPatient: options.parts > MANY_PARTS }),
    );
    return stepOf(answer.head, sectionsOf(answer));
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

  private ask(
    { path, content, ...file }: ParserFile,
    what: Pick<PlanRequest, 'operation' | 'whole'> | Pick<ReadRequest, 'operation' | 'range' | 'recognise'>,
    { keep, isPatient }: { keep: boolean; isPatient?: boolean },
    signal?: AbortSignal,
  ): Promise<Frame> {
    const key = JSON.stringify([path, file]);
    const has = (child: SandboxedChild) => this.held.get(child) === key;
    const work = async (child: SandboxedChild) => {
      const held = has(child);
      this.held.delete(child);
      const bytes = held ? [] : (content ?? (await readFile(path)));
      signal?.throwIfAborted();
      const request = { ...file, ...what, held, keep, maxPages: this.config.maxPages };
      const answer = checked(await child.ask(request, bytes));
      if (keep && answer.head.passages === undefined) this.held.set(child, key);
      return answer;
    };
    return this.pool.run(work, signal, { prefers: has, owner: path, isPatient });
  }
}

function stepOf(head: Frame['head'], [state, ...rest]: readonly Buffer[]): StructureStep {
  const { passages, language, batches } = head as unknown as Pick<StructureStep, 'passages' | 'language'> & {
    batches: Pick<PassageBatch, 'first' | 'count'>[];
  };
  return {
    state: state!,
    passages,
    language,
    batches: batches.map((batch, i) => ({
      ...batch,
      passages: rest[2 * i]!.toString('utf8'),
      postings: rest[2 * i + 1]!.toString('utf8'),
    })),
  };
}

function checked(answer: Frame): Frame {
  const { failure } = answer.head;
  if (typeof failure !== 'string') return answer;
  throw new ParseFailure(isParseFailureCode(failure) ? failure : 'parser-crashed');
}

/** Documents of more parts than this, hundreds of pages, do not make the others wait. */
const MANY_PARTS = 8;
/** A part of a file, with what is inside of it. */
const MAX_OUTPUT_BYTES = 128 * 1_048_576;
