import { Readable } from 'node:stream';
import { ValidationFailed } from '#libs/http';
import { InvalidUpload, UploadInterrupted } from '../ingestion.errors.js';
import type { FilePart, UploadPart } from '../uploads/upload-form.js';
import { type FormFields, readImportForm } from './import-form.js';

const field = (fieldname: string, value: unknown): UploadPart => ({
  type: 'field',
  fieldname,
  value,
  valueTruncated: false,
});
const file = (filename: string, chunks = ['a', 'b'], fieldname = 'file'): FilePart & { file: Readable } => ({
  type: 'file',
  fieldname,
  filename,
  mimetype: 'text/plain',
  file: Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
});

async function read(parts: readonly UploadPart[], receive?: (part: FilePart) => Promise<void>) {
  const begun: FormFields[] = [];
  const received: string[] = [];
  const takeAll = async (part: FilePart) => {
    let text = part.filename;
    for await (const chunk of part.file) text += ` ${Buffer.from(chunk).toString()}`;
    received.push(text);
  };
  await readImportForm(
    Readable.from(parts) as AsyncIterable<UploadPart>,
    async (fields) => void begun.push(fields),
    receive ?? takeAll,
  );
  return { begun, received };
}

describe('the form of an import', () => {
  it('gives its fields once, before the files in their order', async () => {
    const parts = [field('tags', 'a, b'), field('collection', 'plans'), file('1'), file('2')];
    expect(await read(parts)).toEqual({
      begun: [{ tags: ['a', 'b'], collection: 'plans' }],
      received: ['1 a b', '2 a b'],
    });
  });

  it('goes on behind a file that nobody wanted to the end', async () => {
    const seen: string[] = [];
    const parts = [file('1', ['a', 'b', 'c']), file('2')];
    await read(parts, async (part) => {
      for await (const chunk of part.file) {
        seen.push(`${part.filename} ${Buffer.from(chunk).toString()}`);
        break;
      }
    });
    expect(seen).toEqual(['1 a', '2 a']);
    expect(parts.map((part) => part.file.readableEnded)).toEqual([true, true]);
  });

  it('goes on behind a file that was not looked at', async () => {
    const parts = [file('1'), file('2')];
    await read(parts, async () => undefined);
    expect(parts.map((part) => part.file.readableEnded)).toEqual([true, true]);
  });

  it.each([
    ['has no file', [field('collection', 'x')], InvalidUpload],
    ['has a field behind a file', [file('1'), field('collection', 'x')], InvalidUpload],
    ['has a file elsewhere', [file('1', ['a'], 'other')], InvalidUpload],
    ['has a title, which is of one file', [field('title', 'x'), file('1')], ValidationFailed],
  ] as const)('is refused when it %s', async (_, parts, error) => {
    await expect(read(parts)).rejects.toThrow(error);
  });

  it('says when it was cut off', async () => {
    async function* cutOff(): AsyncIterable<UploadPart> {
      yield file('1');
      throw new Error('premature close');
    }
    const done = readImportForm(
      cutOff(),
      async () => undefined,
      async () => undefined,
    );
    await expect(done).rejects.toThrow(UploadInterrupted);
  });
});
