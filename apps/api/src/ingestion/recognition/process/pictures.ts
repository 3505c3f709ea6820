import { createCanvas, loadImage, type SKRSContext2D } from '@napi-rs/canvas';
import UTIF from 'utif2';
import { ParseFailure } from '../../parsing/parse-failure.js';
import type { PageCanvas } from './page-canvas.js';
import { pictureSizes, tagOf, tiffPages } from './picture-size.js';

export interface PictureLimits {
  /** Of a picture as it is stored. */
  maxPixels: number;
}

/** @throws ParseFailure corrupt-file, image-too-large, too-complex */
export function countPages(bytes: Buffer, { maxPixels }: PictureLimits): number {
  const sizes = pictureSizes(bytes);
  if (!sizes) throw new ParseFailure('corrupt-file');
  if (sizes.some(({ width, height }) => width * height > maxPixels))
    throw new ParseFailure('image-too-large');
  return sizes.length;
}

/**
 * Draws a page of a picture as large as its text can be read best, the way up that the camera noted (EXIF).
 * @param page from 1 on
 * @throws ParseFailure corrupt-file, image-too-large
 */
export async function drawPicture(bytes: Buffer, page: number, limits: PictureLimits): Promise<PageCanvas> {
  if (page > countPages(bytes, limits)) throw new ParseFailure('corrupt-file');
  try {
    return isTiff(bytes) ? drawTiff(bytes, page) : await drawCompressed(bytes);
  } catch (error) {
    throw new ParseFailure('corrupt-file', { cause: error });
  }
}

const isTiff = (bytes: Buffer) => bytes[0] === bytes[1];

async function drawCompressed(bytes: Buffer): Promise<PageCanvas> {
  const image = await loadImage(bytes);
  return drawScaled(image.width, image.height, (context, width, height) =>
    context.drawImage(image, 0, 0, width, height),
  );
}

function drawTiff(bytes: Buffer, number: number): PageCanvas {
  const page = tiffPages(bytes)[number - 1]!;
  UTIF.decodeImage(bytes, page);
  const { width, height } = page;
  const source = createCanvas(width, height);
  const context = source.getContext('2d');
  const pixels = context.createImageData(width, height);
  pixels.data.set(UTIF.toRGBA8(page));
  context.putImageData(pixels, 0, 0);
  const quarters = QUARTERS_OF_ORIENTATION[tagOf(page, 't274')] ?? 0;
  const [across, down] = quarters % 2 === 0 ? [width, height] : [height, width];
  return drawScaled(across, down, (target, toWidth, toHeight) => {
    target.translate(toWidth / 2, toHeight / 2);
    target.rotate((quarters * Math.PI) / 2);
    const scale = toWidth / across;
    target.scale(scale, scale);
    target.drawImage(source, -width / 2, -height / 2);
  });
}

type Draw = (context: SKRSContext2D, width: number, height: number) => void;

/** Small pictures are made larger, because small print is read badly; large ones smaller, because it takes long. */
function drawScaled(width: number, height: number, draw: Draw): PageCanvas {
  const enlarged = Math.min(MAX_ENLARGEMENT, Math.max(1, GOOD_LONG_SIDE / Math.max(width, height)));
  const scale = Math.min(enlarged, Math.sqrt(MAX_READ_PIXELS / (width * height)));
  const canvas = createCanvas(
    Math.max(1, Math.round(width * scale)),
    Math.max(1, Math.round(height * scale)),
  );
  const context = canvas.getContext('2d');
  // Where a picture is transparent, there is paper.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  draw(context, canvas.width, canvas.height);
  return { canvas, dpi: null };
}

/** TIFF's tag 274, without mirrored pictures, which no scanner makes. */
const QUARTERS_OF_ORIENTATION: Record<number, number> = { 3: 2, 6: 1, 8: 3 };
/** In pixels: of a page whose print is ten points high. */
const GOOD_LONG_SIDE = 2_200;
const MAX_ENLARGEMENT = 3;
/** A page of A4 at 300 dpi has 8.7 million. */
export const MAX_READ_PIXELS = 12_000_000;
