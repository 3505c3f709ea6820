/**
 * The program of the process that reads files which nobody vouches for. It is started by `SandboxedChild` without
 * environment, without access to the file system beyond its own code, and with limits on memory and time. It gets a
 * file's bytes by a pipe and answers by another; when the service dies, its pipe closes and it ends.
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { getHeapStatistics } from 'node:v8';
import { gunzipSync, gzipSync } from 'node:zlib';
import { getResolvedPDFJS } from 'unpdf';
import { detailOf } from '../../extraction/part-detail.js';
import { languageOf } from '../../passages/language.js';
import { type StructuredPart, type StructureState, structurePart } from '../../passages/structure-part.js';
import { type OpenFile, openFile, type ReadPart } from '../open-file.js';
import { unlock } from '../office/unlock.js';
import { ParseFailure, type ParseFailureCode } from '../parse-failure.js';
import { sniff } from '../sniff.js';
import { type Frame, FrameReader, sectionsOf, sendFrame, withSections } from './frames.js';
import { forbidNetwork } from './network.js';
import type { ParserRequest, PlanRequest, ReadRequest, StructureRequest } from './parser-request.js';

const MAX_INPUT_BYTES = 0xffff_ffff;
/** What a decompressed part may take. */
const MAX_PART_BYTES = 256 * 1_048_576;
/** Collecting garbage takes longer than reading a small file. */
const TIDY_HEAP_BYTES = 96 * 1_048_576;
const GZIP_LEVEL = 3;

forbidNetwork();
// Whatever a library wants to print would be text of the document, or would disturb the answers.
globalThis.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

interface OpenedFile {
  mediaType: string;
  file: OpenFile;
  needsPassword: boolean;
}

interface Answer {
  head: Record<string, unknown>;
  body?: readonly Uint8Array[];
}

let held: OpenedFile | undefined;
const requests = new FrameReader(MAX_INPUT_BYTES);
let queue = Promise.resolve();

process.stdin.on('data', (chunk: Buffer) => {
  for (const request of requests.read(chunk)) queue = queue.then(() => answer(request));
});
process.stdin.on('end', () => process.exit(0));
send({ head: { ready: true } });
// Most documents are PDFs, and loading what reads them takes longer than reading a page.
queue = queue.then(async () => void (await getResolvedPDFJS()));

async function answer(frame: Frame): Promise<void> {
  const request = frame.head as unknown as ParserRequest;
  try {
    send(await work(request, frame));
  } catch (error) {
    await close();
    send({ head: { failure: codeOf(error) } });
  }
  // While nobody waits: the next file should find as much memory as this one did.
  if (getHeapStatistics().used_heap_size > TIDY_HEAP_BYTES) globalThis.gc?.();
}

async function work(request: ParserRequest, frame: Frame): Promise<Answer> {
  if (request.operation === 'structure') return structure(request, frame);
  const { mediaType, file, needsPassword } = await opened(request, frame.body);
  if (request.operation === 'read') return release(await read(file, request), !request.keep);
  const whole = request.whole && file.plan.unit === 'whole' ? await readWhole(file) : undefined;
  const plan = jsonOf(needsPassword ? { ...file.plan, needsPassword } : file.plan);
  if (!whole) return release(withSections({ mediaType }, [plan]), !request.keep);
  return release(withSections({ mediaType, ...whole.head }, [plan, ...whole.body]), true);
}

async function opened(request: PlanRequest | ReadRequest, sent: Buffer): Promise<OpenedFile> {
  if (request.held && held) return held;
  await close();
  const { password, ...rest } = request;
  if (password === undefined) return (held = await open(rest, sent));
  try {
    // Who opens a file takes its bytes over.
    held = await open(rest, Buffer.from(sent));
  } catch (error) {
    if (codeOf(error) !== 'password-protected') throw error;
    held = await open(request, sent);
  }
  return held;
}

async function open(
  { filename, declaredType, password, maxPages }: PlanRequest | ReadRequest,
  sent: Buffer,
): Promise<OpenedFile> {
  const bytes = await unlock(sent, password);
  const mediaType = await sniff(bytes, { filename, declaredType });
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const file = await openFile(view, mediaType, { maxPages, password });
  return { mediaType, file, needsPassword: password !== undefined };
}

async function release(answer: Answer, isLast: boolean): Promise<Answer> {
  if (isLast) await close();
  return answer;
}

async function close(): Promise<void> {
  const last = held;
  held = undefined;
  await last?.file.close();
}

/** Undefined when there is something inside that others have to read. */
async function readWhole(file: OpenFile): Promise<Required<Answer> | undefined> {
  const { attachments = [], pictures = [], ...part } = await file.read(file.plan.parts[0]!, false);
  if (attachments.length > 0 || pictures.length > 0) return undefined;
  const detail = detailOf(part);
  const options = { isLast: true, parts: 1, headingStyles: detail.headingStyles };
  const { head, body } = await structured(structurePart(null, part, options), true);
  return { head, body: [jsonOf(part), jsonOf(detail), ...body] };
}

/** Files and pictures inside follow the rest of the part. */
async function read(file: OpenFile, { range, recognise }: ReadRequest): Promise<Answer> {
  const { attachments = [], pictures = [], ...part } = await file.read(range, recognise);
  const inside = {
    attachments: attachments.map(({ filename }) => ({ filename })),
    pictures: pictures.map(({ bytes: _, ...place }) => place),
  };
  const bytes = [...attachments, ...pictures].map((one) => one.bytes);
  return withSections({}, [jsonOf({ ...part, ...inside } satisfies Described), ...bytes]);
}

/** A part whose files and pictures are elsewhere. */
export interface Described extends Omit<ReadPart, 'attachments' | 'pictures'> {
  attachments: { filename: string }[];
  pictures: { after: number; page: number | null }[];
}

async function structure(options: StructureRequest, frame: Frame): Promise<Answer> {
  const [before, packed] = sectionsOf(frame) as [Buffer, Buffer];
  const state = before.length > 0 ? unpack<StructureState>(before) : null;
  const { head, body } = await structured(structurePart(state, unpack(packed), options), options.isLast);
  return withSections(head, body);
}

async function structured({ state, batches }: StructuredPart, isLast: boolean): Promise<Required<Answer>> {
  const head = {
    passages: state.maker.ordinal,
    batches: batches.map(({ first, count }) => ({ first, count })),
    language: isLast ? await languageOf(state.sample) : null,
  };
  // Nothing follows the last part.
  const remembered = isLast ? Buffer.alloc(0) : gzipSync(JSON.stringify(state), { level: GZIP_LEVEL });
  const cut = batches.flatMap(({ passages, postings }) => [Buffer.from(passages), Buffer.from(postings)]);
  return { head, body: [remembered, ...cut] };
}

const unpack = <T>(packed: Buffer): T =>
  JSON.parse(gunzipSync(packed, { maxOutputLength: MAX_PART_BYTES }).toString('utf8')) as T;

const jsonOf = (value: unknown) => Buffer.from(JSON.stringify(value));

/** What JavaScript throws at its own limits; anything unknown is a parser's bug, met by a bad file. */
function codeOf(error: unknown): ParseFailureCode {
  if (error instanceof ParseFailure) return error.code;
  if (!(error instanceof RangeError)) return 'corrupt-file';
  if (/call stack/i.test(error.message)) return 'too-complex';
  return /allocation|array length|string length/i.test(error.message) ? 'parse-memory' : 'corrupt-file';
}

function send({ head, body }: Answer): void {
  sendFrame(process.stdout, head, body);
}
