import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type ExtractedDocument,
  ParseFailure,
  type ParseFailureCode,
  type ParserFile,
  SandboxedParser,
} from '../../apps/api/src/ingestion/parsing/index.js';
import { makePassages } from '../../apps/api/src/ingestion/passages/make-passages.js';
import { countWords, MAX_WORDS } from '../../apps/api/src/ingestion/passages/words.js';

/**
 * Real files of many formats, each with what must be found in it or how it must be refused. They are no part of this
 * project: without them there is nothing to test.
 */
const FOLDER = join(process.cwd(), '../shared/data/documents');
const LIMITS = { timeoutMs: 30_000, memoryMb: 512, processes: 2, maxPages: 2_000, idleMs: 30_000 };

interface Sample {
  file: string;
  format: string;
  class: string;
  expected: string;
  password: string | undefined;
}

type Read = Pick<ExtractedDocument, 'title' | 'blocks' | 'pictures'>;
type Outcome = { document: Read; ms: number } | { failure: ParseFailureCode; ms: number };

const isHere = existsSync(join(FOLDER, 'manifest.tsv'));
const samples = isHere ? readManifest() : [];
const report: string[] = [];
let parser: SandboxedParser;

function readManifest(): Sample[] {
  const [header, ...lines] = readFileSync(join(FOLDER, 'manifest.tsv'), 'utf8').trimEnd().split('\n');
  const columns = header!.split('\t');
  return lines.map((line) => {
    const values = line.split('\t');
    const at = (name: string) => values[columns.indexOf(name)] ?? '';
    return {
      ...{ file: at('file'), format: at('format'), class: at('class'), expected: at('expected_text') },
      password: at('password') || undefined,
    };
  });
}

async function readAll(file: ParserFile): Promise<Read> {
  const { title, parts } = await parser.plan(file);
  const read = await Promise.all(parts.map((part) => parser.read(file, part)));
  const blocks = read.flatMap((part) => part.blocks);
  const pictures = read.flatMap((part) => part.pictures ?? []);
  if (blocks.length + pictures.length === 0) throw new ParseFailure('no-text');
  return { title, blocks, pictures };
}

async function parse({ file, class: kind }: Sample, password?: string): Promise<Outcome> {
  const started = performance.now();
  const outcome = await readAll({ path: join(FOLDER, file), filename: basename(file), password }).then(
    (document) => ({ document }),
    (error: unknown) => {
      if (error instanceof ParseFailure) return { failure: error.code };
      throw error;
    },
  );
  const ms = Math.round(performance.now() - started);
  const result = 'document' in outcome ? `${outcome.document.blocks.length} blocks` : outcome.failure;
  report.push(`${kind.padEnd(19)} ${file.padEnd(60)} ${result.padEnd(20)} ${String(ms).padStart(6)} ms`);
  return { ...outcome, ms };
}

const normal = (text: string) => text.normalize('NFKC').replace(/\s+/g, ' ').trim();

function textOf({ title, blocks }: Read): string {
  const texts = blocks.flatMap((block) =>
    block.kind === 'table'
      ? block.rows.flatMap(({ group, label, cells }) => [
          group ?? '',
          label,
          ...cells.flatMap((c) => [c.header, c.text]),
        ])
      : [block.text],
  );
  return normal([title ?? '', ...texts].join(' '));
}

/** The manifest gives a cue as it stands in the file; we keep its times beside what is said. */
function expectedOf({ format, expected }: Sample): { text: string; startMs?: number } {
  const cue = /^\d+ (\d+):(\d+):(\d+)[.,](\d+) --> \S+ (.*)$/.exec(expected);
  if (!cue || !['vtt', 'srt'].includes(format)) return { text: normal(expected) };
  const [hours, minutes, seconds, milliseconds] = cue.slice(1, 5).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const startMs = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds;
  return { text: normal(cue[5]!), startMs };
}

const cuesOf = ({ blocks }: Read) =>
  blocks.flatMap((block) => (block.kind === 'table' ? [] : (block.cues ?? [])));

/** How a file of a class may end. A scan has no text yet, and a picture in a document stays a picture. */
const REFUSALS: Record<string, ParseFailureCode[]> = {
  password: ['password-protected', 'wrong-password'],
  encrypted: ['password-protected'],
  'encrypted-or-owner': ['password-protected'],
  malformed: ['corrupt-file', 'no-text', 'mistyped', 'too-complex'],
  bomb: ['too-complex', 'corrupt-file', 'unsupported-type'],
  'no-text': ['no-text'],
  ocr: ['no-text'],
  encoding: ['unknown-encoding'],
};

const maySucceed = new Set(['encrypted-or-owner', 'malformed', 'ocr', 'encoding']);
/** Pictures and recordings are not the parser's. */
const isParsed = ({ file }: Sample) => !/^(images|audio)\//.test(file);
const isRead = (sample: Sample) => isParsed(sample) && sample.class === 'text';
const isRefused = (sample: Sample) => isParsed(sample) && sample.class in REFUSALS;
const isOpened = ({ password }: Sample) => password !== undefined;

const title = isHere
  ? 'The corpus of real files'
  : `The corpus of real files is not at ${FOLDER}, so nothing of it is tested`;

(isHere ? describe : describe.skip)(title, () => {
  beforeAll(() => {
    parser = new SandboxedParser(LIMITS);
  });

  afterAll(async () => {
    await parser.close();
    console.log(report.sort().join('\n'));
  });

  it.each(samples.filter(isRead).map((sample) => [sample.file, sample] as const))(
    'finds the expected text in %s',
    async (_, sample) => {
      const outcome = await parse(sample);
      expect(outcome).toHaveProperty('document');
      if (!('document' in outcome)) return;
      const { text: expected, startMs } = expectedOf(sample);
      expect(textOf(outcome.document)).toContain(expected);
      if (startMs !== undefined)
        expect(cuesOf(outcome.document)).toContainEqual(expect.objectContaining({ startMs }));
      for (const { text, row } of makePassages(outcome.document)) {
        expect(countWords(text)).toBeLessThanOrEqual(MAX_WORDS);
        for (const { start, end, text: cell } of row?.cells ?? []) expect(text.slice(start, end)).toBe(cell);
      }
    },
    60_000,
  );

  it.each(samples.filter(isRefused).map((sample) => [sample.class, sample.file, sample] as const))(
    'ends cleanly with the %s file %s',
    async (kind, _, sample) => {
      const outcome = await parse(sample);
      if ('failure' in outcome) expect(REFUSALS[kind]).toContain(outcome.failure);
      else expect(maySucceed).toContain(kind);
    },
    60_000,
  );

  it.each(samples.filter(isOpened).map((sample) => [sample.file, sample] as const))(
    'opens %s with its password, and with no other',
    async (_, sample) => {
      const opened = await parse(sample, sample.password);
      if (!('document' in opened)) throw new Error(`It ended with ${opened.failure}`);
      expect(textOf(opened.document)).toContain(normal(sample.expected));
      expect(await parse(sample, 'wrong')).toMatchObject({ failure: 'wrong-password' });
    },
    60_000,
  );

  it('hands on the picture in a letter, to those who can read it', async () => {
    const outcome = await parse(samples.find((sample) => sample.file === 'docx/testOCR.docx')!);
    if (!('document' in outcome)) throw new Error('It was not read');
    expect(outcome.document.pictures).toEqual([{ bytes: expect.anything(), after: 1, page: null }]);
  });

  it('hands on the file inside a PDF', async () => {
    const path = join(FOLDER, 'pdf/with-attachment.pdf');
    const { parts } = await parser.plan({ path, filename: 'a.pdf' });
    const { attachments } = await parser.read({ path, filename: 'a.pdf' }, parts[0]!);
    expect(attachments).toEqual([{ filename: expect.any(String), bytes: expect.anything() }]);
  });

  it('does not show mojibake for text in an old encoding', async () => {
    const outcome = await parse(samples.find((sample) => sample.class === 'encoding')!);
    if (!('document' in outcome)) throw new Error(`It ended with ${outcome.failure}`);
    expect(textOf(outcome.document)).toContain('Однажды, в студеную зимнюю пору');
  });

  it('keeps the figures of the model summary of benefits in their rows and columns', async () => {
    const outcome = await parse(samples.find((sample) => sample.file === 'insurance/sbc.pdf')!);
    if (!('document' in outcome)) throw new Error('It was not read');
    const rows = outcome.document.blocks.flatMap((block) => (block.kind === 'table' ? block.rows : []));
    const cell = (label: string, header: RegExp, group = /./) =>
      rows
        .find((row) => row.label.startsWith(label) && (!row.group || group.test(row.group)))
        ?.cells.find((c) => header.test(c.header))?.text;
    expect(cell('What is the overall deductible', /Answers/)).toBe('$500 / individual or $1,000 / family');
    expect(cell('What is the out-of-pocket limit', /Answers/)).toMatch(
      /network providers \$2,500 individual \/ \$5,000 family; for out-of-network providers \$4,000 individual \/ \$8,000 family/,
    );
    expect(cell('Specialist visit', / Network Provider/)).toBe('$50 copay/visit');
    expect(cell('Imaging', /Limitations/)).toBe('None');
    expect(cell('Specialty drugs', /Limitations/)).toMatch(/30-day supply/);
    expect(cell('Facility fee', / Network Provider/, /hospital stay/)).toBe('20% coinsurance');
    expect(cell('Habilitation services', /Limitations/)).toMatch(/^60 visits\/year/);
    expect(cell('Children’s glasses', /Out-of-Network/)).toBe('Not covered');
    expect(cell('The total Joe would pay is', /^$/)).toBe('$1,820');
  });
});
