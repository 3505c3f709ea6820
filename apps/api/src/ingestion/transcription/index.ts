/** Hearing recordings: decoding, cutting at silences, and who writes down what is said. */
export { TRANSCRIPTION } from './transcription.providers.js';
export { RecordingExtractor } from './recording.extractor.js';
export { transcriberProbe } from './create-transcriber.js';
export { type TranscriberConfig, transcriberSection } from './transcription.config.js';
