import { createCanvas } from '@napi-rs/canvas';
import UTIF from 'utif2';
import { pictureSizes } from './picture-size.js';

const canvas = createCanvas(31, 17);

describe('pictureSizes', () => {
  it('reads the header of every kind of picture', () => {
    const size = [{ width: 31, height: 17 }];
    expect(pictureSizes(canvas.toBuffer('image/png'))).toEqual(size);
    expect(pictureSizes(canvas.toBuffer('image/jpeg'))).toEqual(size);
    expect(pictureSizes(canvas.toBuffer('image/webp', 80))).toEqual(size);
    expect(pictureSizes(canvas.toBuffer('image/webp', 100))).toEqual(size);
    expect(pictureSizes(Buffer.from(UTIF.encodeImage(new Uint8Array(31 * 17 * 4), 31, 17)))).toEqual(size);
  });

  it('believes a header, whatever follows it', () => {
    const bomb = canvas.toBuffer('image/png').subarray(0, 33);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    expect(pictureSizes(bomb)).toEqual([{ width: 60_000, height: 60_000 }]);
  });

  it('makes nothing of what is cut off or no picture', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('a text that is long enough for a header'),
      canvas.toBuffer('image/png').subarray(0, 18),
      canvas.toBuffer('image/jpeg').subarray(0, 30),
      Buffer.from('II*\0\xff\xff\xff\x7f', 'latin1'),
    ])
      expect(pictureSizes(bytes)).toBeUndefined();
  });
});
