import type { FileHandle } from 'node:fs/promises';
import { ParseFailure } from '../../parsing/index.js';

/** How the samples of a WAV file are written. */
export interface WavFormat {
  encoding: 'integer' | 'float';
  bytesPerSample: number;
  channels: number;
  /** Samples a second of one channel. */
  rate: number;
  dataStart: number;
  /** Whole frames only: a sample of each channel. */
  frames: number;
}

/**
 * Reads the header of a RIFF, RF64 or BW64 file. A size that is not there, because the program that wrote the file was
 * cut off or did not know it, means the rest of the file.
 *
 * @returns undefined when the samples are compressed
 * @throws ParseFailure corrupt-file
 */
export async function readWavHeader(file: FileHandle): Promise<WavFormat | undefined> {
  const { size: fileBytes } = await file.stat();
  let at = RIFF_HEADER_BYTES;
  let format: Buffer | undefined;
  let longDataBytes: number | undefined;
  for (let chunks = 0; chunks < MOST_CHUNKS; chunks++) {
    const head = await readExactly(file, at, 8);
    const name = head.toString('latin1', 0, 4);
    const claimed = head.readUInt32LE(4);
    const start = at + 8;
    if (name === 'data') {
      if (!format) throw new ParseFailure('corrupt-file');
      const rest = fileBytes - start;
      const said = claimed === UNKNOWN_BYTES ? longDataBytes : claimed;
      return formatOf(format, start, said ? Math.min(said, rest) : rest);
    }
    if (name === 'fmt ') format = await readExactly(file, start, Math.min(claimed, FORMAT_BYTES));
    if (name === 'ds64') longDataBytes = Number((await readExactly(file, start + 8, 8)).readBigUInt64LE());
    // Chunks begin at even places.
    at = start + claimed + (claimed % 2);
  }
  throw new ParseFailure('corrupt-file');
}

function formatOf(chunk: Buffer, dataStart: number, dataBytes: number): WavFormat | undefined {
  if (chunk.length < 16) throw new ParseFailure('corrupt-file');
  const channels = chunk.readUInt16LE(2);
  const rate = chunk.readUInt32LE(4);
  const frameBytes = chunk.readUInt16LE(12);
  const tag = chunk.readUInt16LE(0);
  // The extensible format says in its sub-format what the others say in the tag.
  const encoding = ENCODINGS[tag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag];
  if (!encoding) return undefined;
  const bytesPerSample = frameBytes / channels;
  const isSound = channels >= 1 && channels <= MOST_CHANNELS && rate >= LOWEST_RATE && rate <= HIGHEST_RATE;
  if (!isSound || !SAMPLE_BYTES[encoding].includes(bytesPerSample)) throw new ParseFailure('corrupt-file');
  return { encoding, bytesPerSample, channels, rate, dataStart, frames: Math.floor(dataBytes / frameBytes) };
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw new ParseFailure('corrupt-file');
  return buffer;
}

const ENCODINGS: Readonly<Record<number, WavFormat['encoding']>> = { 1: 'integer', 3: 'float' };
const EXTENSIBLE = 0xfffe;
const SAMPLE_BYTES: Record<WavFormat['encoding'], number[]> = { integer: [1, 2, 3, 4], float: [4, 8] };

const RIFF_HEADER_BYTES = 12;
const FORMAT_BYTES = 40;
const UNKNOWN_BYTES = 0xffff_ffff;
/** Before the samples; recorders write a handful. */
const MOST_CHUNKS = 1_000;
const MOST_CHANNELS = 64;
const LOWEST_RATE = 2_000;
const HIGHEST_RATE = 768_000;
