import { createCanvas, loadImage } from '@napi-rs/canvas';

/** Brightness of pixels, row by row from the top left: 0 is black, 255 white. */
export interface GrayImage {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Luma of opaque colours (ITU-R BT.601). */
export function grayOf(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number): GrayImage {
  const pixels = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < pixels.length; i += 1, at += 4)
    pixels[i] = (rgba[at]! * 77 + rgba[at + 1]! * 150 + rgba[at + 2]! * 29) >> 8;
  return { width, height, pixels };
}

export function toPgm({ width, height, pixels }: GrayImage): Buffer {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`, 'latin1'), pixels]);
}

/** @param bytes what `toPgm` wrote, or a JPEG */
export async function grayFrom(bytes: Buffer): Promise<GrayImage> {
  const header = /^P5\n(\d+) (\d+)\n255\n/.exec(bytes.toString('latin1', 0, MAX_HEADER));
  if (header) {
    const pixels = bytes.subarray(header[0].length);
    return { width: Number(header[1]), height: Number(header[2]), pixels };
  }
  const image = await loadImage(bytes);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  return grayOf(context.getImageData(0, 0, image.width, image.height).data, image.width, image.height);
}

/** The picture after clockwise quarter turns. */
export function turned(image: GrayImage, quarters: 0 | 1 | 2 | 3): GrayImage {
  if (quarters === 0) return image;
  const { width, height, pixels } = image;
  const size = quarters === 2 ? { width, height } : { width: height, height: width };
  const result = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const [toX, toY] =
        quarters === 1
          ? [height - 1 - y, x]
          : quarters === 2
            ? [width - 1 - x, height - 1 - y]
            : [y, width - 1 - x];
      result[toY * size.width + toX] = pixels[y * width + x]!;
    }
  return { ...size, pixels: result };
}

const MAX_HEADER = 64;
