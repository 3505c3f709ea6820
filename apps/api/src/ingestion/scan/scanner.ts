import { Logger } from '@nestjs/common';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { DocumentNotScannable, MalwareFound, ScannerUnavailable } from '../ingestion.errors.js';
import type { Clamd } from './clamd.js';

/** Looks for malware in files before anybody keeps them. */
export abstract class Scanner {
  /**
   * @param open gives the content from its beginning, as often as it is asked
   * @throws MalwareFound, DocumentNotScannable, ScannerUnavailable: what was not scanned is not accepted
   */
  abstract scan(open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** Where no scanner is configured. */
export class NoScanner extends Scanner {
  scan(): Promise<void> {
    return Promise.resolve();
  }
}

export class ClamdScanner extends Scanner {
  private readonly logger = new Logger(ClamdScanner.name);

  constructor(
    private readonly clamd: Pick<Clamd, 'scan'>,
    private readonly policy: Pick<Policy, 'execute'>,
  ) {
    super();
  }

  async scan(open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const verdict = await this.ask(open, signal);
    if (verdict === 'clean') return;
    this.logger.warn({ verdict }, 'a file was refused by the scanner');
    throw verdict === 'found' ? new MalwareFound() : new DocumentNotScannable();
  }

  private async ask(open: () => AsyncIterable<Uint8Array>, signal: AbortSignal) {
    try {
      return await this.policy.execute((limited) => this.clamd.scan(open(), limited), {
        signal,
        operation: 'scan',
      });
    } catch (error) {
      if (error instanceof DependencyUnavailable || error instanceof DependencyTimeout)
        throw new ScannerUnavailable({ cause: error });
      throw error;
    }
  }
}
