import { crc32, deflateRawSync } from 'node:zlib';
import { readZipDirectory, unpackEntry } from './zip-directory.js';

interface Entry {
  name: string;
  content?: Buffer;
  /** What the directory claims instead of the truth. */
  claimedBytes?: number;
}

function zip(entries: Entry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = Buffer.from('x'), claimedBytes = content.length } of entries) {
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimedBytes, 18);
    common.writeUInt16LE(name.length, 22);
    const body = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, rest, Buffer.from(name)]),
    );
    bodies.push(body);
    offset += body.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}

const failing = (code: string) => expect.objectContaining({ code });

describe('readZipDirectory', () => {
  it('lists what a file holds without unpacking it', () => {
    const bytes = zip([{ name: 'a.xml' }, { name: 'word/b.xml', content: Buffer.from('hello') }]);
    expect(
      readZipDirectory(bytes).map(({ name, sizeBytes, encrypted }) => [name, sizeBytes, encrypted]),
    ).toEqual([
      ['a.xml', 1, false],
      ['word/b.xml', 5, false],
    ]);
  });

  it.each([
    ['unpacks to a hundred times its size', [{ name: 'a', content: Buffer.alloc(4_000_000) }]],
    ['claims to unpack to more than is allowed', [{ name: 'a', claimedBytes: 0xf000_0000 }]],
    ['holds a path out of the archive', [{ name: '../../etc/passwd' }]],
    ['holds an absolute path', [{ name: '/etc/passwd' }]],
    ['names an entry twice', [{ name: 'a' }, { name: 'a' }]],
    ['has too many entries', Array.from({ length: 10_001 }, (_, i) => ({ name: `${i}` }))],
  ])('refuses an archive that %s', (_, entries) => {
    expect(() => readZipDirectory(zip(entries))).toThrow(failing('too-complex'));
  });

  it('calls an archive without a readable directory corrupt', () => {
    const bytes = zip([{ name: 'a.xml' }]);
    expect(() => readZipDirectory(bytes.subarray(0, 30))).toThrow(failing('corrupt-file'));
    bytes.writeUInt32LE(5, bytes.length - 6);
    expect(() => readZipDirectory(bytes)).toThrow(failing('corrupt-file'));
  });
});

describe('unpackEntry', () => {
  it('unpacks one entry, but not beyond the limit', () => {
    const bytes = zip([{ name: 'a', content: Buffer.from('hello '.repeat(100)) }]);
    const [entry] = readZipDirectory(bytes);
    expect(unpackEntry(bytes, entry!, 1_000).toString()).toContain('hello hello');
    expect(() => unpackEntry(bytes, entry!, 100)).toThrow(failing('too-complex'));
  });
});
