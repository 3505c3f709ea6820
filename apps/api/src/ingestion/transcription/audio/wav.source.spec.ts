import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wavBytes } from '../remote/wav-bytes.js';
import { WavSource } from './wav.source.js';

const folder = mkdtempSync(join(tmpdir(), 'wav-source-'));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

interface Written {
  tag?: number;
  bits?: number;
  channels?: number;
  rate?: number;
  /** What the header says about the length of the samples. */
  claimed?: number;
  /** Further chunks before the samples. */
  before?: Buffer;
  samples: Buffer;
}

/** A file whose header says what the test wants, true or not. */
function write({
  tag = 1,
  bits = 16,
  channels = 1,
  rate = 16_000,
  claimed,
  before,
  samples,
}: Written): string {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt16LE((channels * bits) / 8, 12);
  format.writeUInt16LE(bits, 14);
  const chunks = [before ?? Buffer.alloc(0), chunk('fmt ', format), chunk('data', samples, claimed)];
  return writeFile(Buffer.concat([Buffer.from('RIFF....WAVE'), ...chunks]));
}

function chunk(name: string, body: Buffer, claimed = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(claimed, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

let files = 0;
function writeFile(bytes: Buffer): string {
  const path = join(folder, `${files++}.wav`);
  writeFileSync(path, bytes);
  return path;
}

async function samplesOf(path: string): Promise<number[]> {
  const source = (await WavSource.open(path))!;
  const all: number[] = [];
  for await (const samples of source.stream(signal)) all.push(...samples);
  return all;
}

const int24 = (value: number) => {
  const bytes = Buffer.alloc(3);
  bytes.writeIntLE(value, 0, 3);
  return bytes;
};

describe('WavSource', () => {
  it.each<[string, Written]>([
    ['8 bits', { bits: 8, samples: Buffer.from([128, 192, 64, 0]) }],
    ['16 bits', { samples: Buffer.from(Int16Array.of(0, 16_384, -16_384, -32_768).buffer) }],
    ['24 bits', { bits: 24, samples: Buffer.concat([0, 2 ** 22, -(2 ** 22), -(2 ** 23)].map(int24)) }],
    ['32 bits', { bits: 32, samples: Buffer.from(Int32Array.of(0, 2 ** 30, -(2 ** 30), -(2 ** 31)).buffer) }],
    ['floats', { tag: 3, bits: 32, samples: Buffer.from(Float32Array.of(0, 0.5, -0.5, -1).buffer) }],
    ['double floats', { tag: 3, bits: 64, samples: Buffer.from(Float64Array.of(0, 0.5, -0.5, -1).buffer) }],
  ])('reads samples of %s', async (_, written) => {
    expect(await samplesOf(write(written))).toEqual([0, 0.5, -0.5, -1]);
  });

  it('gives the mean of the channels', async () => {
    const samples = Buffer.from(Int16Array.of(16_384, 0, -32_768, 32_767).buffer);
    const [first, second] = await samplesOf(write({ channels: 2, samples }));
    expect(first).toBe(0.25);
    expect(second).toBeCloseTo(0, 4);
  });

  it('goes past what else stands in a file, and reads the extensible form', async () => {
    const extensible = Buffer.alloc(40);
    extensible.writeUInt16LE(0xfffe, 0);
    extensible.writeUInt16LE(1, 2);
    extensible.writeUInt32LE(16_000, 4);
    extensible.writeUInt16LE(2, 12);
    extensible.writeUInt16LE(1, 24);
    const parts = [
      Buffer.from('RIFF....WAVE'),
      chunk('LIST', Buffer.from('odd')),
      chunk('fmt ', extensible),
      chunk('data', Buffer.from(Int16Array.of(16_384).buffer)),
      chunk('LIST', Buffer.from('behind')),
    ];
    expect(await samplesOf(writeFile(Buffer.concat(parts)))).toEqual([0.5]);
  });

  it.each([0, 0xffff_ffff, 1_000])(
    'reads to the end of the file when the header says that there are %i bytes of samples',
    async (claimed) => {
      const samples = Buffer.from(Int16Array.of(16_384, 16_384).buffer);
      expect(await samplesOf(write({ claimed, samples }))).toEqual([0.5, 0.5]);
    },
  );

  it('hears no number where a file has none', async () => {
    const samples = Buffer.from(Float32Array.of(NaN, Infinity, -Infinity, 7).buffer);
    expect(await samplesOf(write({ tag: 3, bits: 32, samples }))).toEqual([0, 1, -1, 1]);
  });

  it('leaves compressed samples to others', async () => {
    expect(await WavSource.open(write({ tag: 0x11, samples: Buffer.alloc(4) }))).toBeUndefined();
  });

  it.each<[string, () => string]>([
    ['without samples', () => writeFile(Buffer.from('RIFF....WAVE'))],
    [
      'without a format',
      () => writeFile(Buffer.concat([Buffer.from('RIFF....WAVE'), chunk('data', Buffer.alloc(4))])),
    ],
    ['with no channels', () => write({ channels: 0, samples: Buffer.alloc(4) })],
    ['with a rate that no recorder has', () => write({ rate: 4_000_000_000, samples: Buffer.alloc(4) })],
    ['with half a header', () => writeFile(Buffer.from('RIFF....WAVEfmt \u0010\u0000'))],
  ])('refuses a file %s', async (_, path) => {
    await expect(WavSource.open(path())).rejects.toMatchObject({ code: 'corrupt-file' });
  });

  it('gives a stretch at 16 kHz, and what there is of one past the end', async () => {
    const second = Float32Array.from({ length: 16_000 }, (_, i) => (i < 8_000 ? 0 : 0.5));
    const path = writeFile(wavBytes(second));
    const source = (await WavSource.open(path))!;
    const around = await source.samples({ from: 400, to: 599 }, signal);
    expect(around).toHaveLength(3_200);
    expect(around[1_599]).toBe(0);
    expect(around[1_600]).toBeCloseTo(0.5, 4);
    expect(await source.samples({ from: 900, to: 1_899 }, signal)).toHaveLength(1_600);
    expect(await source.samples({ from: 5_000, to: 6_000 }, signal)).toHaveLength(0);
  });

  it('stops when nobody wants to listen any more', async () => {
    const source = (await WavSource.open(writeFile(wavBytes(new Float32Array(100_000)))))!;
    const leaving = new AbortController();
    const pieces = source.stream(leaving.signal);
    await pieces.next();
    leaving.abort(new Error('Left'));
    await expect(pieces.next()).rejects.toThrow('Left');
  });
});
