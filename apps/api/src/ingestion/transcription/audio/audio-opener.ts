import { Inject, Injectable, Logger } from '@nestjs/common';
import type { SourceFile } from '../../extraction/extractor.js';
import { ParseFailure } from '../../parsing/index.js';
import { type TranscriberConfig, transcriberSection } from '../transcription.config.js';
import type { AudioSource } from './audio-source.js';
import { Ffmpeg } from './ffmpeg.js';
import { FfmpegSource } from './ffmpeg.source.js';
import { WavSource } from './wav.source.js';

/** Opens the sound of recordings: WAV files by ourselves, all others by the system's ffmpeg when there is one. */
@Injectable()
export class AudioOpener {
  private readonly logger = new Logger(AudioOpener.name);
  private found: Ffmpeg | undefined;

  constructor(@Inject(transcriberSection.token) private readonly config: TranscriberConfig) {}

  /** @throws ParseFailure decoder-missing, corrupt-file, unsupported-type */
  async open({ path, mediaType }: Pick<SourceFile, 'path' | 'mediaType'>): Promise<AudioSource> {
    const demuxer = DEMUXERS[mediaType];
    if (!demuxer) throw new ParseFailure('unsupported-type');
    const wav = demuxer === 'wav' ? await WavSource.open(path) : undefined;
    return wav ?? new FfmpegSource(await this.ffmpeg(), { path, demuxer });
  }

  /** Looked for until it is there, so that nobody has to start this program again after installing it. */
  private async ffmpeg(): Promise<Ffmpeg> {
    const { ffmpeg: program, decoderMemoryMb: memoryMb, decoderTimeoutMs: timeoutMs } = this.config;
    if (!this.found) {
      this.found = await Ffmpeg.find(program, { memoryMb, timeoutMs });
      if (!this.found) throw new ParseFailure('decoder-missing');
      this.logger.log({ version: this.found.version }, 'recordings are decoded by ffmpeg');
    }
    return this.found;
  }
}

/** ffmpeg's names of the containers. */
const DEMUXERS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'mov',
  'audio/ogg': 'ogg',
  'video/mp4': 'mov',
  'video/webm': 'matroska',
  'video/x-matroska': 'matroska',
};
