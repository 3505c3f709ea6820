/**
 * The program of a process that hears recordings: it gets samples by one pipe and answers by another. It is started by
 * `SandboxedChild` without environment and without access to the file system beyond its own code. The model runs in
 * machine code, which Node's permission model does not see; it computes on samples and on weights that were checked,
 * and opens nothing. When the service dies, its pipe closes and it ends.
 */
import { type Frame, FrameReader, sendFrame } from '../../parsing/sandbox/frames.js';
import { forbidNetwork } from '../../parsing/sandbox/network.js';
import { ModelFilesChanged, Moonshine } from './moonshine.js';

/** Of a stretch of 24 s as single floats, with room to spare. */
const MAX_INPUT_BYTES = 4_194_304;

forbidNetwork();
const requests = new FrameReader(MAX_INPUT_BYTES);
let model: Promise<Moonshine> | undefined;
let queue = Promise.resolve();

process.stdin.on('data', (chunk: Buffer) => {
  for (const request of requests.read(chunk)) queue = queue.then(() => answer(request));
});
process.stdin.on('end', () => process.exit(0));
send({ ready: true });

/** What is sent back for samples, with the text as the body. */
export type TranscriberAnswer =
  { confidence: number; cpuSeconds: number } | { failure: 'model-files-changed' | 'failed' };

async function answer({ body }: Frame): Promise<void> {
  const before = process.cpuUsage();
  try {
    // Copied, because a view must start at an address that is a multiple of four.
    const samples = new Float32Array(Uint8Array.from(body).buffer, 0, Math.floor(body.length / 4));
    const { text, confidence } = await (await (model ??= Moonshine.load())).transcribe(samples);
    const { user, system } = process.cpuUsage(before);
    send({ confidence, cpuSeconds: (user + system) / 1_000_000 }, Buffer.from(text));
  } catch (error) {
    send({ failure: error instanceof ModelFilesChanged ? 'model-files-changed' : 'failed' });
  }
}

function send(head: TranscriberAnswer | { ready: true }, body?: Uint8Array): void {
  sendFrame(process.stdout, { ...head }, body);
}
