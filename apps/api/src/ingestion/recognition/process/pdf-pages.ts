import * as canvasModule from '@napi-rs/canvas';
import type { PDFDocumentProxy } from 'unpdf/pdfjs';
import { ParseFailure } from '../../parsing/parse-failure.js';
import type { PageCanvas } from './page-canvas.js';
import { MAX_READ_PIXELS } from './pictures.js';

const { createCanvas, DOMMatrix, ImageData, Path2D } = canvasModule;

// pdf.js draws with what browsers have; these must be there before it is loaded.
Object.assign(globalThis, { DOMMatrix, ImageData, Path2D });

/** A PDF that is open for drawing. Unlike the parser's, its pictures are decoded. */
export class PdfPages {
  private constructor(private readonly pdf: PDFDocumentProxy) {}

  /** @throws ParseFailure password-protected, corrupt-file */
  static async open(bytes: Uint8Array, maxPixels: number, password?: string): Promise<PdfPages> {
    const { getDocumentProxy } = await import('unpdf');
    try {
      // pdf.js takes the buffer over, and refuses Node's own Buffer.
      const pdf = await getDocumentProxy(new Uint8Array(bytes), {
        password,
        CanvasFactory: PageCanvases,
        isEvalSupported: false,
        disableFontFace: true,
        useSystemFonts: false,
        useWorkerFetch: false,
        useWasm: false,
        // A larger picture is not decoded, and its page is blank.
        maxImageSize: maxPixels,
        verbosity: 0,
      });
      return new PdfPages(pdf);
    } catch (error) {
      const encrypted = error instanceof Error && error.name === 'PasswordException';
      throw new ParseFailure(encrypted ? 'password-protected' : 'corrupt-file', { cause: error });
    }
  }

  /** @param number from 1 on @throws ParseFailure corrupt-file */
  async draw(number: number): Promise<PageCanvas> {
    try {
      const page = await this.pdf.getPage(number);
      const { width, height } = page.getViewport({ scale: 1 });
      const scale = Math.min(DPI / POINTS_PER_INCH, Math.sqrt(MAX_READ_PIXELS / (width * height)));
      const viewport = page.getViewport({ scale });
      const canvas = createCanvas(Math.ceil(viewport.width), Math.ceil(viewport.height));
      const context = canvas.getContext('2d');
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
      await page.render({
        canvas: canvas as never,
        canvasContext: context as never,
        viewport,
      }).promise;
      page.cleanup();
      return { canvas, dpi: scale * POINTS_PER_INCH };
    } catch (error) {
      throw new ParseFailure('corrupt-file', { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.pdf.loadingTask.destroy();
  }
}

/** Where pdf.js draws what it needs besides the page, such as masks. */
class PageCanvases {
  create(width: number, height: number) {
    const canvas = createCanvas(width, height);
    return { canvas, context: canvas.getContext('2d') };
  }

  reset({ canvas }: { canvas: canvasModule.Canvas }, width: number, height: number): void {
    Object.assign(canvas, { width, height });
  }

  destroy({ canvas }: { canvas: canvasModule.Canvas }): void {
    Object.assign(canvas, { width: 0, height: 0 });
  }
}

const POINTS_PER_INCH = 72;
/** Measured: above 200 little is gained, below much is lost (README). */
const DPI = 250;
