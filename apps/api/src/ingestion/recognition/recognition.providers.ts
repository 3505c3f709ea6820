import type { Provider } from '@nestjs/common';
import { PolicyRegistry } from '#libs/resilience';
import { PageRecognizer } from '../extraction/extractor.js';
import { createOcrEngine } from './create-engine.js';
import { EmbeddedOcr } from './embedded.engine.js';
import { ImageExtractor } from './image.extractor.js';
import { OcrEngine } from './ocr-engine.js';
import { OcrPageRecognizer } from './ocr.page-recognizer.js';
import { PageReader } from './page-reader.js';
import { type OcrConfig, ocrSection } from './recognition.config.js';
import { RecognitionProcesses } from './recognition-processes.js';

export const RECOGNITION: Provider[] = [
  RecognitionProcesses,
  EmbeddedOcr,
  {
    provide: OcrEngine,
    inject: [ocrSection.token, EmbeddedOcr, PolicyRegistry],
    useFactory: (config: OcrConfig, embedded: EmbeddedOcr, policies: PolicyRegistry) =>
      createOcrEngine(config, embedded, policies.policy('ocr')),
  },
  PageReader,
  { provide: PageRecognizer, useClass: OcrPageRecognizer },
  ImageExtractor,
];
