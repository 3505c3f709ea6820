import type { Provider } from '@nestjs/common';
import { PolicyRegistry } from '#libs/resilience';
import { AudioOpener } from './audio/audio-opener.js';
import { createTranscriber } from './create-transcriber.js';
import { EmbeddedTranscriber } from './embedded/embedded.transcriber.js';
import { RecordingExtractor } from './recording.extractor.js';
import { Transcriber } from './transcriber.js';
import { type TranscriberConfig, transcriberSection } from './transcription.config.js';

export const TRANSCRIPTION: Provider[] = [
  AudioOpener,
  EmbeddedTranscriber,
  {
    provide: Transcriber,
    inject: [transcriberSection.token, EmbeddedTranscriber, PolicyRegistry],
    useFactory: (config: TranscriberConfig, embedded: EmbeddedTranscriber, policies: PolicyRegistry) =>
      createTranscriber(config, embedded, policies.policy('transcriber')),
  },
  RecordingExtractor,
];
