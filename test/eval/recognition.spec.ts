import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DocumentExtractor } from '../../apps/api/src/ingestion/extraction/document.extractor.js';
import type { ExtractedPart, SourceFile } from '../../apps/api/src/ingestion/extraction/extractor.js';
import { parserSection, SandboxedParser } from '../../apps/api/src/ingestion/parsing/index.js';
import type { Block } from '../../apps/api/src/ingestion/parsing/extracted-document.js';
import { mediaTypeByName } from '../../apps/api/src/ingestion/parsing/media-types.js';
import { EmbeddedOcr } from '../../apps/api/src/ingestion/recognition/embedded.engine.js';
import { ImageExtractor } from '../../apps/api/src/ingestion/recognition/image.extractor.js';
import { OcrPageRecognizer } from '../../apps/api/src/ingestion/recognition/ocr.page-recognizer.js';
import { PageReader } from '../../apps/api/src/ingestion/recognition/page-reader.js';
import { ocrSection } from '../../apps/api/src/ingestion/recognition/recognition.config.js';
import { RecognitionProcesses } from '../../apps/api/src/ingestion/recognition/recognition-processes.js';

/** Real scans and pictures. They are no part of this project: without them there is nothing to test. */
const FOLDER = join(process.cwd(), '../shared/data/documents');
const isHere = existsSync(join(FOLDER, 'manifest.tsv'));

/** Files of which the text must be recognised, and files in which there is none. */
const samples = !isHere
  ? []
  : readFileSync(join(FOLDER, 'manifest.tsv'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
      .filter((columns) => columns[5] === 'ocr' || columns[5] === 'no-text')
      .map((columns) => ({ file: columns[0]!, expected: columns[6] ?? '' }));

const { signal } = new AbortController();
const textsOf = (block: Block) =>
  block.kind === 'table'
    ? block.rows.flatMap(({ label, cells }) => [label, ...cells.map((c) => c.text)])
    : block.text;

(isHere ? describe : describe.skip)('the text of real scans and pictures', () => {
  const ocrConfig = ocrSection.schema.parse({ processes: 2 });
  const parserConfig = parserSection.schema.parse({});
  const processes = new RecognitionProcesses(ocrConfig);
  const parser = new SandboxedParser(parserConfig);
  const reader = new PageReader(processes, new EmbeddedOcr(processes), ocrConfig);
  const images = new ImageExtractor(processes, reader, parserConfig);
  const documents = new DocumentExtractor(parser, new OcrPageRecognizer(reader));
  afterAll(() => Promise.all([processes.close(), parser.close()]));

  async function read(name: string): Promise<ExtractedPart[]> {
    const path = join(FOLDER, name);
    const file: SourceFile = {
      path,
      filename: basename(name),
      mediaType: mediaTypeByName(name)!,
      sizeBytes: statSync(path).size,
    };
    const extractor = file.mediaType.startsWith('image/') ? images : documents;
    const plan = await extractor.plan(file, signal);
    return Promise.all(plan.parts.map((part) => extractor.read(file, plan, part, signal)));
  }

  it.each(samples)(
    'is $expected in $file',
    async ({ file, expected }) => {
      const parts = await read(file);
      const text = parts.flatMap(({ blocks }) => blocks.flatMap(textsOf)).join(' ');
      if (expected) {
        expect(text).toContain(expected);
        for (const { recognised } of parts) expect(recognised!.confidence).toBeGreaterThan(0.6);
      } else expect(text).toBe('');
    },
    120_000,
  );
});
