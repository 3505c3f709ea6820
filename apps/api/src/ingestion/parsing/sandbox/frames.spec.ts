import { encodeFrame, FrameReader, FrameTooLarge } from './frames.js';

describe('FrameReader', () => {
  const bytes = Buffer.concat([
    ...encodeFrame({ id: 1 }, Buffer.from('first')),
    ...encodeFrame({ id: 2 }),
    ...encodeFrame({ id: 3 }, Buffer.from('third')),
  ]);

  it.each([1, 3, 7, 1_000])('puts frames together from chunks of %i bytes', (size) => {
    const reader = new FrameReader(100);
    const frames = [];
    for (let at = 0; at < bytes.length; at += size)
      frames.push(...reader.read(bytes.subarray(at, at + size)));
    expect(frames.map(({ head, body }) => [head.id, body.toString()])).toEqual([
      [1, 'first'],
      [2, ''],
      [3, 'third'],
    ]);
  });

  it('refuses a frame that announces too much, before it arrives', () => {
    const announced = Buffer.concat(encodeFrame({}, Buffer.alloc(101))).subarray(0, 8);
    expect(() => new FrameReader(100).read(announced)).toThrow(FrameTooLarge);
  });
});
