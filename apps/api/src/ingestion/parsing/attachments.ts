import type { Attachment, ExtractionWarning } from './extracted-document.js';
import { extensionOf } from './media-types.js';
import { ParseFailure } from './parse-failure.js';
import { isZip, ZipArchive } from './zip-archive.js';

/** Gathers the files inside a file within limits; archives among them are unpacked, once. */
export class Attachments {
  readonly found: Attachment[] = [];
  readonly warnings: ExtractionWarning[] = [];
  private bytes = 0;

  add(filename: string, content: Uint8Array): void {
    if (extensionOf(filename) === 'zip' && isZip(content)) this.addArchive(content);
    else this.addFile(filename, content);
  }

  private addArchive(content: Uint8Array): void {
    try {
      const archive = ZipArchive.open(content);
      for (const { name, sizeBytes } of archive.entries) {
        const isNoise = name.endsWith('/') || sizeBytes === 0 || /(^|\/)(__MACOSX\/|\.)/.test(name);
        // An archive in an archive is left alone: somebody who sends one hides something or did not look.
        if (!isNoise) this.addFile(name.split('/').at(-1)!, archive.get(name));
      }
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      this.leaveOut();
    }
  }

  private addFile(filename: string, content: Uint8Array): void {
    const isTooMuch = this.found.length >= MAX_FILES || this.bytes + content.length > MAX_BYTES;
    if (isTooMuch) return this.leaveOut();
    this.bytes += content.length;
    this.found.push({ filename: filename || 'attachment', bytes: content });
  }

  private leaveOut(): void {
    this.warnings.push({ code: 'attachment-skipped' });
  }
}

const MAX_FILES = 100;
/** They cross the pipe from the parser together with the text. */
const MAX_BYTES = 48 * 1_048_576;
