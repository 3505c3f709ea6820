import { ParseFailure } from '../parsing/index.js';
import type { OcrEngine, OcrResult, PageImage } from './ocr-engine.js';
import { PageReader } from './page-reader.js';
import type { RecognitionProcesses } from './recognition-processes.js';

const image: PageImage = { bytes: new Uint8Array(), mediaType: 'image/jpeg', width: 1, height: 1, dpi: null };
const text: OcrResult = { kind: 'plain', text: 'Text.' };
const source = { bytes: new Uint8Array() };
const { signal } = new AbortController();

/** Of pages that end so, one attempt after the other. */
function reader(...ends: (OcrResult | Error)[]) {
  let attempts = 0;
  const engine = {
    name: 'fake:engine',
    imageType: 'image/jpeg',
    recognise: () => {
      const end = ends[attempts++]!;
      return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
    },
  };
  const processes = { concurrency: 2, draw: () => Promise.resolve(image) };
  const pages = new PageReader(processes as unknown as RecognitionProcesses, engine as OcrEngine, {
    minConfidence: 0,
  });
  return { pages, attempts: () => attempts };
}

describe('PageReader', () => {
  const crash = new ParseFailure('parser-crashed');

  it('tries once more when the process died, because somebody may have killed it', async () => {
    const { pages, attempts } = reader(crash, text);
    expect(await pages.read(source, 1, signal)).toBe(text);
    expect(attempts()).toBe(2);
  });

  it('blames the page when that happens again', async () => {
    const { pages, attempts } = reader(crash, crash, text);
    await expect(pages.read(source, 1, signal)).rejects.toMatchObject({ code: 'recognition-failed' });
    expect(attempts()).toBe(2);
  });

  it('does not try what fails by itself again', async () => {
    const { pages, attempts } = reader(new ParseFailure('parse-timeout'), text);
    await expect(pages.read(source, 1, signal)).rejects.toMatchObject({ code: 'parse-timeout' });
    expect(attempts()).toBe(1);
  });
});
