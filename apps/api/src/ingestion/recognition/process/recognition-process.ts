/**
 * The program of a process that draws pages and reads the text in them. It is started by `SandboxedChild` without
 * environment and without access to the file system beyond its own code, and gets files by a pipe. Pictures are decoded
 * and drawn by machine code (Skia), which Node's permission model does not see; the limits on memory and time hold for
 * it as well. When the service dies, its pipe closes and it ends.
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { ParseFailure, type ParseFailureCode } from '../../parsing/parse-failure.js';
import { type Frame, FrameReader, sendFrame } from '../../parsing/sandbox/frames.js';
import { forbidNetwork } from '../../parsing/sandbox/network.js';
import type { PageImageType } from '../ocr-engine.js';
import { grayFrom } from './gray-image.js';
import { encodePage } from './page-canvas.js';
import { PdfPages } from './pdf-pages.js';
import { countPages, drawPicture } from './pictures.js';
import { recognisePage } from './recognise-page.js';
import { Tesseract } from './tesseract.js';

/** What a process is asked. Files are sent once and kept until another one comes: `hasFile` says that it has it. */
export type RecognitionRequest =
  | { ask: 'count'; maxPixels: number }
  | ({ ask: 'draw'; page: number; as: PageImageType } & HeldFile)
  | { ask: 'recognise'; dpi: number | null };

export interface HeldFile {
  isPdf: boolean;
  hasFile: boolean;
  password?: string;
  maxPixels: number;
}

const MAX_INPUT_BYTES = 0xffff_ffff;

forbidNetwork();
// Whatever a library wants to print would be text of the document, or would disturb the answers.
globalThis.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

const requests = new FrameReader(MAX_INPUT_BYTES);
let queue = Promise.resolve();
let tesseract: Promise<Tesseract> | undefined;
let file: Buffer | PdfPages | undefined;

process.stdin.on('data', (chunk: Buffer) => {
  for (const request of requests.read(chunk)) queue = queue.then(() => answer(request));
});
process.stdin.on('end', () => process.exit(0));
send({ ready: true });

async function answer({ head, body }: Frame): Promise<void> {
  try {
    await doAsAsked(head as unknown as RecognitionRequest, body);
  } catch (error) {
    send({ failure: codeOf(error) });
  }
  // While nobody waits: pages take tens of megabytes each.
  globalThis.gc?.();
}

async function doAsAsked(request: RecognitionRequest, body: Buffer): Promise<void> {
  if (request.ask === 'count') return send({ pages: countPages(body, request) });
  if (request.ask === 'draw') {
    const held = await hold(request, body);
    const page =
      held instanceof PdfPages
        ? await held.draw(request.page)
        : await drawPicture(held, request.page, request);
    const { width, height } = page.canvas;
    return send({ width, height, dpi: page.dpi }, encodePage(page, request.as));
  }
  const engine = await (tesseract ??= Tesseract.load());
  const text = await recognisePage(engine, await grayFrom(body), request.dpi);
  send({}, Buffer.from(JSON.stringify(text)));
}

async function hold(
  { isPdf, hasFile, password, maxPixels }: HeldFile,
  body: Buffer,
): Promise<Buffer | PdfPages> {
  if (hasFile && file) return file;
  if (file instanceof PdfPages) await file.close();
  file = undefined;
  return (file = isPdf ? await PdfPages.open(body, maxPixels, password) : body);
}

function codeOf(error: unknown): ParseFailureCode {
  if (error instanceof ParseFailure) return error.code;
  return error instanceof RangeError && /allocation|array length/i.test(error.message)
    ? 'parse-memory'
    : 'recognition-failed';
}

function send(head: Record<string, unknown>, body?: Uint8Array): void {
  sendFrame(process.stdout, head, body);
}
