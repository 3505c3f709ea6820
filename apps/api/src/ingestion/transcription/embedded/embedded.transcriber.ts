import { availableParallelism } from 'node:os';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ParseFailure } from '../../parsing/index.js';
import { ChildPool } from '../../parsing/sandbox/child-pool.js';
import { builtProgram } from '../../parsing/sandbox/sandboxed-child.js';
import { Transcriber, type Transcript } from '../transcriber.js';
import { type TranscriberConfig, transcriberSection } from '../transcription.config.js';
import type { TranscriberAnswer } from './transcriber-process.js';

/** Hears on this machine, in processes of their own, of which each takes one core. English. */
@Injectable()
export class EmbeddedTranscriber extends Transcriber implements OnApplicationShutdown {
  readonly name = 'embedded:moonshine-tiny';
  private readonly pool: ChildPool;

  constructor(@Inject(transcriberSection.token) config: TranscriberConfig) {
    super();
    const { memoryMb, timeoutMs, idleMs, processes = availableParallelism() } = config;
    this.pool = new ChildPool({
      program: { path: builtProgram('transcription/embedded/transcriber-process'), addons: true },
      ...{ memoryMb, timeoutMs, idleMs, processes, maxOutputBytes: MAX_OUTPUT_BYTES },
    });
  }

  transcribe(samples: Float32Array, signal: AbortSignal): Promise<Transcript> {
    return this.pool.run(async (child) => {
      const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
      const { head, body } = await child.ask({}, bytes);
      const answer = head as TranscriberAnswer;
      if ('failure' in answer) throw failureOf(answer.failure);
      const { confidence, cpuSeconds } = answer;
      return { text: body.toString('utf8'), confidence, cpuSeconds, heardBy: this.name, cost: 0 };
    }, signal);
  }

  /** How many processes there are, at work or resting. */
  get processes(): number {
    return this.pool.processes;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}

function failureOf(failure: string): Error {
  return failure === 'model-files-changed'
    ? new Error('The files of the speech model are not the ones this program was made with')
    : new ParseFailure('parser-crashed');
}

/** A stretch of 24 s has a few hundred words at most. */
const MAX_OUTPUT_BYTES = 65_536;
