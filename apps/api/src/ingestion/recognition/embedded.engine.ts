import { Injectable } from '@nestjs/common';
import { OcrEngine, type OcrResult, type PageImage } from './ocr-engine.js';
import { RecognitionProcesses } from './recognition-processes.js';

/** Reads on this machine, in processes of their own. English. */
@Injectable()
export class EmbeddedOcr extends OcrEngine {
  readonly name = 'embedded:tesseract-eng';
  readonly imageType = 'image/x-portable-graymap';

  constructor(private readonly processes: RecognitionProcesses) {
    super();
  }

  recognise(image: PageImage, signal: AbortSignal): Promise<OcrResult> {
    return this.processes.recognise(image, signal);
  }
}
