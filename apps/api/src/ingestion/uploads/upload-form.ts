import type { z } from 'zod';
import { DomainError } from '#libs/errors';
import { ValidationFailed } from '#libs/http';
import type { StagedBlob } from '../blobs/blob.store.js';
import { InvalidUpload, UploadInterrupted } from '../ingestion.errors.js';
import { cleanName } from './clean-name.js';
import { UploadFields } from './upload.dto.js';

/** A part of the form as it arrives; what `@fastify/multipart` gives has this shape. */
export type UploadPart =
  { type: 'field'; fieldname: string; value: unknown; valueTruncated: boolean } | FilePart;

export interface FilePart {
  type: 'file';
  fieldname: string;
  /** As the client sent it, like the type. */
  filename: string;
  mimetype: string;
  file: AsyncIterable<Uint8Array>;
}

export interface UploadForm<Content extends StagedBlob = StagedBlob> {
  fields: UploadFields;
  filename: string;
  content: Content;
}

/**
 * Reads the form in one pass: fields may come before and after the file, and the file goes straight to `receive`.
 * When anything about the form is wrong, what was received is discarded.
 *
 * @throws InvalidUpload, ValidationFailed, UploadInterrupted, and whatever `receive` throws
 */
export async function readUploadForm<Content extends StagedBlob>(
  parts: AsyncIterable<UploadPart>,
  receive: (part: FilePart) => Promise<Content>,
): Promise<UploadForm<Content>> {
  const fields = new Map<string, string[]>();
  let file: Omit<UploadForm<Content>, 'fields'> | undefined;
  try {
    for await (const part of untilCutOff(parts)) {
      if (part.type === 'field') addField(fields, part);
      else if (part.fieldname !== 'file')
        throw new InvalidUpload(part.fieldname, 'The file belongs in the field "file"');
      else if (file) throw new InvalidUpload('file', 'One upload holds one file');
      else
        file = { filename: part.filename, content: await receive({ ...part, file: untilCutOff(part.file) }) };
    }
    if (!file) throw new InvalidUpload('file', 'The field "file" is missing');
    return { ...file, fields: parseFields(fields, UploadFields) };
  } catch (error) {
    await file?.content.discard();
    throw error;
  }
}

export function addField(fields: Map<string, string[]>, part: UploadPart & { type: 'field' }): void {
  if (part.fieldname === 'file') throw new InvalidUpload('file', 'The field "file" does not hold a file');
  if (part.valueTruncated || typeof part.value !== 'string')
    throw new InvalidUpload(part.fieldname, 'The field is too long, or not text');
  fields.set(part.fieldname, [...(fields.get(part.fieldname) ?? []), part.value]);
}

/** @throws InvalidUpload, ValidationFailed */
export function parseFields<Schema extends z.ZodType>(
  fields: ReadonlyMap<string, string[]>,
  schema: Schema,
): z.infer<Schema> {
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, given] of fields) {
    if (name === 'tags') values.tags = tagsIn(given);
    else if (given.length > 1) throw new InvalidUpload(name, 'The field is given more than once');
    // A password is what it is, character by character.
    else if (name === 'password') values.password = given[0] || undefined;
    // An empty field is one that a person left empty.
    else values[name] = cleanName(given[0]!, 1_000) || undefined;
  }
  const result = schema.safeParse({ ...values });
  if (!result.success) throw new ValidationFailed(result.error.issues);
  return result.data;
}

function tagsIn(lists: string[]): string[] {
  const tags = lists.flatMap((list) => list.split(',')).map((tag) => cleanName(tag, 1_000));
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** What goes wrong while reading from the client is the connection or the form; our own errors pass unchanged. */
export async function* untilCutOff<T>(source: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* source;
  } catch (cause) {
    throw cause instanceof DomainError ? cause : new UploadInterrupted({ cause });
  }
}
