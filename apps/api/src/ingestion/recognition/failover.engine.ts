import { Logger } from '@nestjs/common';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { ModelRejected } from '../../rag/index.js';
import { OcrEngine, type OcrResult, type PageImage } from './ocr-engine.js';
import { ocrFailovers } from './recognition.metrics.js';

/** An outside engine under its policy, in whose place the embedded one reads what the other cannot or will not. */
export class FailoverOcr extends OcrEngine {
  private readonly logger = new Logger(FailoverOcr.name);

  constructor(
    private readonly outside: OcrEngine,
    private readonly policy: Pick<Policy, 'execute'>,
    private readonly embedded: OcrEngine,
  ) {
    super();
  }

  get name(): string {
    return this.outside.name;
  }

  get imageType() {
    return this.outside.imageType;
  }

  async recognise(image: PageImage, signal: AbortSignal): Promise<OcrResult> {
    try {
      const recognise = (limited: AbortSignal) => this.outside.recognise(image, limited);
      return await this.policy.execute(recognise, { signal, operation: 'recognise', idempotent: true });
    } catch (error) {
      signal.throwIfAborted();
      if (!isAway(error)) throw error;
      this.logger.warn(
        { reason: error.name },
        'the embedded text recognition takes the place of the outside one',
      );
      ocrFailovers.inc();
      return this.embedded.recognise(image, signal);
    }
  }
}

const isAway = (error: unknown): error is Error =>
  error instanceof DependencyUnavailable ||
  error instanceof DependencyTimeout ||
  error instanceof ModelRejected;
