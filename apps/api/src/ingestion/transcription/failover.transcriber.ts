import { Logger } from '@nestjs/common';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { ModelRejected } from '../../rag/index.js';
import { Transcriber, type Transcript } from './transcriber.js';
import { transcriptionFailovers } from './transcription.metrics.js';

/** An outside transcriber under its policy, in whose place the embedded one hears what the other cannot or will not. */
export class FailoverTranscriber extends Transcriber {
  private readonly logger = new Logger(FailoverTranscriber.name);

  constructor(
    private readonly outside: Transcriber,
    private readonly policy: Pick<Policy, 'execute'>,
    private readonly embedded: Transcriber,
  ) {
    super();
  }

  get name(): string {
    return this.outside.name;
  }

  async transcribe(samples: Float32Array, signal: AbortSignal): Promise<Transcript> {
    try {
      const transcribe = (limited: AbortSignal) => this.outside.transcribe(samples, limited);
      return await this.policy.execute(transcribe, { signal, operation: 'transcribe', idempotent: true });
    } catch (error) {
      signal.throwIfAborted();
      if (!isAway(error)) throw error;
      this.logger.warn({ reason: error.name }, 'the embedded transcriber takes the place of the outside one');
      transcriptionFailovers.inc();
      return this.embedded.transcribe(samples, signal);
    }
  }
}

const isAway = (error: unknown): error is Error =>
  error instanceof DependencyUnavailable ||
  error instanceof DependencyTimeout ||
  error instanceof ModelRejected;
