/** Recognising text: drawing pages, reading them, and making blocks of what was read. */
export { RECOGNITION } from './recognition.providers.js';
export { ImageExtractor } from './image.extractor.js';
export { ocrProbe } from './create-engine.js';
export { type OcrConfig, ocrSection } from './recognition.config.js';
