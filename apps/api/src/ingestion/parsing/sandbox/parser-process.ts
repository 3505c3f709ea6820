/**
 * The program of the process that reads files which nobody vouches for. It is started by `ParserChild` without
 * environment, without access to the file system beyond its own code, and with limits on memory and time. It gets a
 * file's bytes by a pipe and answers by another; when the service dies, its pipe closes and it ends.
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { getResolvedPDFJS } from 'unpdf';
import { parseFile } from '../parse-file.js';
import { ParseFailure, type ParseFailureCode } from '../parse-failure.js';
import { sniff } from '../sniff.js';
import { encodeFrame, FrameReader, type Frame } from './frames.js';
import { forbidNetwork } from './network.js';

const MAX_INPUT_BYTES = 0xffff_ffff;

const write = process.stdout.write.bind(process.stdout);
forbidNetwork();
// Whatever a library wants to print would be text of the document, or would disturb the answers.
globalThis.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

const requests = new FrameReader(MAX_INPUT_BYTES);
let queue = Promise.resolve();

process.stdin.on('data', (chunk: Buffer) => {
  for (const request of requests.read(chunk)) queue = queue.then(() => answer(request));
});
process.stdin.on('end', () => process.exit(0));
send({ ready: true });
// Most documents are PDFs, and loading what reads them takes longer than reading a page.
queue = queue.then(async () => void (await getResolvedPDFJS()));

async function answer({ head, body }: Frame): Promise<void> {
  const { filename, declaredType, maxPages, maxOutputBytes } = head as unknown as ParseRequest;
  try {
    const mediaType = await sniff(body, { filename, declaredType });
    const document = await parseFile(body, mediaType, { maxPages });
    const output = Buffer.from(JSON.stringify(document));
    if (output.length > maxOutputBytes) throw new ParseFailure('too-complex');
    send({ mediaType }, output);
  } catch (error) {
    send({ failure: codeOf(error) });
  }
  // While nobody waits: the next file should find as much memory as this one did.
  globalThis.gc?.();
}

export interface ParseRequest {
  filename: string;
  declaredType?: string;
  maxPages: number;
  maxOutputBytes: number;
}

/** What JavaScript throws at its own limits; anything unknown is a parser's bug, met by a bad file. */
function codeOf(error: unknown): ParseFailureCode {
  if (error instanceof ParseFailure) return error.code;
  if (!(error instanceof RangeError)) return 'corrupt-file';
  if (/call stack/i.test(error.message)) return 'too-complex';
  return /allocation|array length|string length/i.test(error.message) ? 'parse-memory' : 'corrupt-file';
}

function send(head: Record<string, unknown>, body?: Uint8Array): void {
  for (const part of encodeFrame(head, body)) write(part);
}
