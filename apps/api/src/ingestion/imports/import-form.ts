import { finished, type Readable } from 'node:stream';
import type { z } from 'zod';
import { InvalidUpload } from '../ingestion.errors.js';
import {
  addField,
  type FilePart,
  parseFields,
  untilCutOff,
  type UploadPart,
} from '../uploads/upload-form.js';
import { ImportFormFields } from './import.dto.js';

export type FormFields = z.infer<typeof ImportFormFields>;

/**
 * Reads a form of several files, one after the other as they arrive, behind the fields that hold for all. `begin` is
 * called before the first file; `receive` may leave a file where it is, and the rest of it is passed over.
 *
 * @throws InvalidUpload, ValidationFailed, UploadInterrupted, and whatever `begin` and `receive` throw
 */
export async function readImportForm(
  parts: AsyncIterable<UploadPart>,
  begin: (fields: FormFields) => Promise<void>,
  receive: (part: FilePart) => Promise<void>,
): Promise<void> {
  const fields = new Map<string, string[]>();
  let hasBegun = false;
  for await (const part of untilCutOff(parts)) {
    if (part.type === 'field') {
      if (hasBegun) throw new InvalidUpload(part.fieldname, 'The fields come before the files');
      addField(fields, part);
      continue;
    }
    if (part.fieldname !== 'file')
      throw new InvalidUpload(part.fieldname, 'The files belong in the field "file"');
    if (!hasBegun) await begin(parseFields(fields, ImportFormFields));
    hasBegun = true;
    await receive({ ...part, file: untilCutOff(unclosed(part.file)) });
    await passOver(part.file as Readable);
  }
  if (!hasBegun) throw new InvalidUpload('file', 'The field "file" is missing');
}

/** Whoever stops reading a stream closes it, and with it the whole form. */
function unclosed(file: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return (file as Readable).iterator({ destroyOnReturn: false });
}

function passOver(file: Readable): Promise<void> {
  if (file.readableEnded || file.destroyed) return Promise.resolve();
  file.resume();
  // Should it be cut off, the next part says so.
  return new Promise((resolve) => finished(file, () => resolve()));
}
