import type { Rect } from '../parsing/pdf/geometry.js';

/** How a page is handed to an engine: grey pixels as they are (PGM, Netpbm), or compressed. */
export type PageImageType = 'image/x-portable-graymap' | 'image/jpeg';

/** The picture of one page. */
export interface PageImage {
  bytes: Uint8Array;
  mediaType: PageImageType;
  /** In pixels. */
  width: number;
  height: number;
  /** Pixels per inch; null when nobody knows how large the page is. */
  dpi: number | null;
}

export interface OcrWord {
  text: string;
  /** 0 to 1. */
  confidence: number;
  /** In pixels of the upright page. */
  rect: Rect;
}

export interface OcrLine {
  words: OcrWord[];
  /** Height of the print, in pixels: about its font size. */
  size: number;
  /** On which the letters stand, in pixels from the top: at the left end of the line and at its right. */
  baseline: { left: number; right: number };
}

/** Words with their places. An engine may have turned the page to read it: `turn` and `skew` say how. */
export interface PlacedText {
  kind: 'placed';
  /** Of the upright page, in pixels. */
  width: number;
  height: number;
  lines: OcrLine[];
  /** Lines that are drawn, such as the borders of tables, in pixels of the upright page. */
  drawn: Rect[];
  /** Clockwise quarter turns of the text against the picture. */
  turn: 0 | 1 | 2 | 3;
  /** In radians, clockwise: how far the lines of the picture were off the horizontal besides. */
  skew: number;
}

/** What an engine gives that does not tell places, nor how sure it is. */
export interface PlainText {
  kind: 'plain';
  /** Markdown. */
  text: string;
}

export type OcrResult = PlacedText | PlainText;

/** Reads the text in the picture of a page. */
export abstract class OcrEngine {
  /** `provider:model`. */
  abstract readonly name: string;
  abstract readonly imageType: PageImageType;

  /**
   * @throws ParseFailure when it fails at this picture
   * @throws DependencyUnavailable, DependencyTimeout when it cannot be had
   * @throws the signal's reason
   */
  abstract recognise(image: PageImage, signal: AbortSignal): Promise<OcrResult>;

  /** Resolves when it is there and lets us in. Costs nothing. */
  ping?(signal: AbortSignal): Promise<void>;
}
