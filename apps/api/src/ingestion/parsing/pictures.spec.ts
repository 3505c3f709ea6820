import { Pictures } from './pictures.js';

function png(width: number, height: number, filler = 0): Buffer {
  const bytes = Buffer.alloc(200, filler);
  bytes.write('89504e470d0a1a0a0000000d49484452', 0, 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

/** A comment, then the frame header. */
function jpeg(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(200);
  bytes.write('ffd8fffe000461 62ffc00011 08'.replaceAll(' ', ''), 0, 'hex');
  bytes.writeUInt16BE(height, 13);
  bytes.writeUInt16BE(width, 15);
  return bytes;
}

describe('Pictures', () => {
  it('takes what may show a line of text, and no logos or lines', () => {
    const pictures = new Pictures();
    for (const bytes of [png(800, 600), jpeg(800, 30), png(60, 60), png(5_000, 2), Buffer.alloc(500, 7)])
      pictures.add(bytes, 3, null);
    expect(pictures.found.map(({ bytes, after }) => [bytes[0], after])).toEqual([
      [0x89, 3],
      [0xff, 3],
    ]);
  });

  it('takes none twice, and says when it left some out', () => {
    const pictures = new Pictures();
    for (let i = 0; i < 30; i += 1) pictures.add(png(800, 600, i % 25), i, i);
    expect(pictures.found).toHaveLength(20);
    expect(pictures.warnings).toEqual([{ code: 'picture-skipped' }]);
  });
});
