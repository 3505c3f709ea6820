import { randomBytes } from 'node:crypto';
import yauzl from 'yauzl';
import { ZipWriter } from './zip-writer.js';

async function archiveOf(entries: [name: string, pieces: (string | Uint8Array)[]][]): Promise<Buffer> {
  const written: Uint8Array[] = [];
  const zip = new ZipWriter(async (bytes) => void written.push(Buffer.from(bytes)));
  for (const [name, pieces] of entries)
    await zip.add(
      name,
      (async function* () {
        yield* pieces;
      })(),
    );
  await zip.finish();
  return Buffer.concat(written);
}

/** By a reader that is not ours, which checks names, sizes and checksums. */
async function contentsOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const zip = await yauzl.fromBufferPromise(archive, { strictFileNames: true });
  const contents = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry()) {
    const pieces: Buffer[] = [];
    for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
    contents.set(entry.fileName, Buffer.concat(pieces));
  }
  return contents;
}

describe('a ZIP archive', () => {
  it('gives back what was put into it, whatever its size', async () => {
    const large = randomBytes(3 * 2 ** 20);
    const archive = await archiveOf([
      ['data/a.ndjson', ['{"a":1}\n', '{"a":"ü"}\n']],
      ['originals/größe.bin', [large.subarray(0, 100_000), large.subarray(100_000)]],
      ['empty', []],
    ]);
    const contents = await contentsOf(archive);
    expect([...contents.keys()]).toEqual(['data/a.ndjson', 'originals/größe.bin', 'empty']);
    expect(contents.get('data/a.ndjson')!.toString()).toBe('{"a":1}\n{"a":"ü"}\n');
    expect(contents.get('originals/größe.bin')!.equals(large)).toBe(true);
    expect(contents.get('empty')).toHaveLength(0);
  });

  it('without entries is one all the same', async () => {
    expect((await contentsOf(await archiveOf([]))).size).toBe(0);
  });

  it('lets its source go when nothing more can be written', async () => {
    let isClosed = false;
    const endless = (async function* () {
      try {
        for (;;) yield randomBytes(100_000);
      } finally {
        isClosed = true;
      }
    })();
    const refused = new ZipWriter(async (bytes) => {
      if (bytes.byteLength > 1_000) throw new Error('the disk is full');
    });
    await expect(refused.add('a', endless)).rejects.toThrow('the disk is full');
    expect(isClosed).toBe(true);
  });

  it('fails as its source fails', async () => {
    const zip = new ZipWriter(async () => undefined);
    const broken = (async function* () {
      yield 'a';
      throw new Error('the file is gone');
    })();
    await expect(zip.add('a', broken)).rejects.toThrow('the file is gone');
  });
});
