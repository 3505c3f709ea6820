import { ValidationFailed } from '#libs/http';
import { Readable } from 'node:stream';
import type { StagedBlob } from '../blobs/blob.store.js';
import { DocumentTooLarge, UploadInterrupted } from '../ingestion.errors.js';
import { readUploadForm, type UploadPart } from './upload-form.js';

const field = (fieldname: string, value: string): UploadPart => ({
  type: 'field',
  fieldname,
  value,
  valueTruncated: false,
});

function file(content: AsyncIterable<Uint8Array> = chunks('hello'), fieldname = 'file'): UploadPart {
  return { type: 'file', fieldname, filename: 'plan.txt', mimetype: 'text/plain', file: content };
}

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

async function* form(...parts: UploadPart[]) {
  yield* parts;
}

/** Remembers what is staged and what of it was discarded. */
class FakeStore {
  readonly staged: string[] = [];
  discarded = 0;

  receive = async ({ file: source }: { file: AsyncIterable<Uint8Array> }): Promise<StagedBlob> => {
    const parts: Uint8Array[] = [];
    for await (const chunk of source) parts.push(chunk);
    this.staged.push(Buffer.concat(parts).toString());
    return {
      sha256: Buffer.alloc(32),
      sizeBytes: 5,
      read: () => Readable.from([]),
      keep: async () => undefined,
      discard: async () => void (this.discarded += 1),
    };
  };
}

let store: FakeStore;
beforeEach(() => (store = new FakeStore()));

describe('the form of an upload', () => {
  it('may have its fields before and after the file', async () => {
    const { fields, filename } = await readUploadForm(
      form(field('title', 'My plan'), file(chunks('hel', 'lo')), field('collection', 'health')),
      store.receive,
    );
    expect(fields).toEqual({ title: 'My plan', collection: 'health', tags: [] });
    expect(filename).toBe('plan.txt');
    expect(store.staged).toEqual(['hello']);
    expect(store.discarded).toBe(0);
  });

  it('takes tags as a list with commas and as several fields, each once', async () => {
    const { fields } = await readUploadForm(
      form(field('tags', 'dental, 2026'), file(), field('tags', '2026,,vision ')),
      store.receive,
    );
    expect(fields.tags).toEqual(['dental', '2026', 'vision']);
  });

  it('takes a password as it is, character by character', async () => {
    const { fields } = await readUploadForm(
      form(file(), field('password', '  two  spaces\u200b ')),
      store.receive,
    );
    expect(fields.password).toBe('  two  spaces\u200b ');
    await expect(
      readUploadForm(form(file(), field('password', 'x'.repeat(256))), store.receive),
    ).rejects.toThrow(ValidationFailed);
  });

  it('takes an empty field for one that was left out', async () => {
    const { fields } = await readUploadForm(
      form(file(), field('title', ''), field('collection', ' ')),
      store.receive,
    );
    expect(fields).toEqual({ tags: [] });
  });

  it.each([
    ['no file', [field('title', 'x')], 'invalid-upload'],
    ['two files', [file(), file()], 'invalid-upload'],
    ['a file in another field', [file(), file(chunks('x'), 'attachment')], 'invalid-upload'],
    ['text in the field of the file', [file(), field('file', 'x')], 'invalid-upload'],
    ['a title given twice', [file(), field('title', 'a'), field('title', 'b')], 'invalid-upload'],
    ['a field that does not exist', [file(), field('owner_id', 'me')], 'validation-failed'],
    ['a field of the prototype', [file(), field('__proto__', 'x')], 'validation-failed'],
    ['an unknown visibility', [file(), field('visibility', 'world')], 'validation-failed'],
    ['a title that is too long', [file(), field('title', 'x'.repeat(301))], 'validation-failed'],
    [
      'too many tags',
      [file(), field('tags', Array.from({ length: 21 }, (_, i) => `t${i}`).join())],
      'validation-failed',
    ],
    [
      'a value that was cut',
      [file(), { ...field('title', 'x'), valueTruncated: true } as UploadPart],
      'invalid-upload',
    ],
  ])('with %s is refused, and what was received is discarded', async (_, parts, code) => {
    await expect(readUploadForm(form(...parts), store.receive)).rejects.toMatchObject({ code });
    expect(store.discarded).toBe(Math.min(1, store.staged.length));
  });

  it('that breaks off in the file is an interrupted upload', async () => {
    async function* broken() {
      yield Buffer.from('hel');
      throw new Error('Unexpected end of multipart data');
    }
    await expect(readUploadForm(form(file(broken())), store.receive)).rejects.toThrow(UploadInterrupted);
  });

  it('that breaks off behind the file is an interrupted upload too, and the file is discarded', async () => {
    async function* broken() {
      yield file();
      throw new Error('Premature close');
    }
    await expect(readUploadForm(broken(), store.receive)).rejects.toThrow(UploadInterrupted);
    expect(store.discarded).toBe(1);
  });

  it('passes on why the store refused the file', async () => {
    const refuse = async () => {
      throw new DocumentTooLarge(10);
    };
    await expect(readUploadForm(form(file()), refuse)).rejects.toThrow(DocumentTooLarge);
  });
});
