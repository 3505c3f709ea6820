import type { Canvas } from '@napi-rs/canvas';
import { grayOf, toPgm } from './gray-image.js';
import type { PageImageType } from '../ocr-engine.js';

/** A page that is drawn. */
export interface PageCanvas {
  canvas: Canvas;
  /** Pixels per inch; null when nobody knows how large the page is. */
  dpi: number | null;
}

export function encodePage({ canvas }: PageCanvas, type: PageImageType): Buffer {
  if (type === 'image/jpeg') return canvas.toBuffer('image/jpeg', JPEG_QUALITY);
  const { width, height } = canvas;
  return toPgm(grayOf(canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height));
}

const JPEG_QUALITY = 92;
