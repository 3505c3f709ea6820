import { Inject, Injectable } from '@nestjs/common';
import {
  type ExtractedPart,
  type ExtractionPlan,
  Extractor,
  type PartRange,
  type SourceFile,
} from '../extraction/extractor.js';
import type { Hearing } from '../extraction/hearing.js';
import { FORMAT_OF_MEDIA_TYPE, ParseFailure } from '../parsing/index.js';
import { AudioOpener } from './audio/audio-opener.js';
import { measureLevels } from './audio/levels.js';
import { speechParts } from './audio/speech-parts.js';
import { spokenBlock } from './spoken-block.js';
import { Transcriber, type Transcript } from './transcriber.js';
import { type TranscriberConfig, transcriberSection } from './transcription.config.js';
import { observeHearing } from './transcription.metrics.js';

/**
 * Writes down what is said in recordings. The plan goes through the sound once, to find where to cut it; a part is one
 * stretch between two pauses, decoded by itself, so that however long a recording is, one stretch is held at a time.
 */
@Injectable()
export class RecordingExtractor extends Extractor {
  constructor(
    private readonly audio: AudioOpener,
    private readonly transcriber: Transcriber,
    @Inject(transcriberSection.token) private readonly config: Pick<TranscriberConfig, 'maxMinutes'>,
  ) {
    super();
  }

  async plan(file: SourceFile, signal: AbortSignal): Promise<ExtractionPlan> {
    const { mediaType } = file;
    const audio = await this.audio.open(file);
    const limitMs = this.config.maxMinutes * 60_000;
    const levels = await measureLevels(audio.stream(signal), audio.rate, limitMs);
    const { durationMs } = levels;
    if (durationMs === 0) throw new ParseFailure('no-audio');
    if (durationMs > limitMs) throw new ParseFailure('recording-too-long');
    const parts = speechParts(levels);
    if (parts.length === 0) throw new ParseFailure('no-speech');
    const format = FORMAT_OF_MEDIA_TYPE[mediaType]!;
    return { mediaType, format, title: null, pageCount: null, durationMs, unit: 'milliseconds', parts };
  }

  async read(
    file: SourceFile,
    _plan: ExtractionPlan,
    range: PartRange,
    signal: AbortSignal,
  ): Promise<ExtractedPart> {
    const audio = await this.audio.open(file);
    const samples = await audio.samples(range, signal);
    const startedMs = performance.now();
    const transcript = await this.transcriber.transcribe(samples, signal);
    const hearing: Hearing = {
      audioMs: range.to - range.from + 1,
      wallMs: performance.now() - startedMs,
      cpuMs: transcript.cpuSeconds * 1_000,
      cost: transcript.cost,
    };
    observeHearing(transcript.heardBy, hearing);
    const block = spokenBlock(transcript, range);
    return { blocks: block ? [block] : [], warnings: [], hearing, ...recognised(block?.text, transcript) };
  }
}

/** Only when the transcriber tells how sure it is. */
function recognised(
  text: string | undefined,
  { confidence }: Transcript,
): Pick<ExtractedPart, 'recognised'> | undefined {
  if (text === undefined || confidence === undefined) return undefined;
  return { recognised: { words: text.split(/\s+/).length, confidence } };
}
