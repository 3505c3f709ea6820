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
const READABLE = new Set(['pdf', 'docx', 'html', 'md', 'txt']);
const LIMITS = { timeoutMs: 30_000, memoryMb: 512, processes: 2, maxPages: 2_000, idleMs: 30_000 };

interface Sample {
  file: string;
  format: string;
  class: string;
  expected: string;
}

type Read = Pick<ExtractedDocument, 'title' | 'blocks'>;
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
    return { file: at('file'), format: at('format'), class: at('class'), expected: at('expected_text') };
  });
}

async function readAll(file: ParserFile): Promise<Read> {
  const { title, parts } = await parser.plan(file);
  const read = await Promise.all(parts.map((part) => parser.read(file, part)));
  const blocks = read.flatMap((part) => part.blocks);
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { title, blocks };
}

async function parse({ file, class: kind }: Sample): Promise<Outcome> {
  const started = performance.now();
  const outcome = await readAll({ path: join(FOLDER, file), filename: basename(file) }).then(
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

/** How a file of a class may end. A scan has no text yet, and a picture in a document stays a picture. */
const REFUSALS: Record<string, ParseFailureCode[]> = {
  password: ['password-protected'],
  encrypted: ['password-protected'],
  'encrypted-or-owner': ['password-protected'],
  malformed: ['corrupt-file', 'no-text', 'mistyped', 'too-complex'],
  bomb: ['too-complex', 'corrupt-file', 'unsupported-type'],
  'no-text': ['no-text'],
  ocr: ['no-text'],
  encoding: ['unknown-encoding'],
};

const maySucceed = new Set(['encrypted-or-owner', 'malformed', 'ocr', 'encoding']);
const isRead = ({ format, class: kind }: Sample) => READABLE.has(format) && kind === 'text';
const isRefused = ({ format, class: kind }: Sample) =>
  READABLE.has(format) ? kind in REFUSALS : kind === 'encrypted' || kind === 'malformed' || kind === 'bomb';

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
      expect(textOf(outcome.document)).toContain(normal(sample.expected));
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

  it.each(
    samples
      .filter((sample) => !isRead(sample) && !isRefused(sample))
      .map((sample) => [sample.file, sample] as const),
  )(
    'refuses %s, which is of no type that can be read',
    async (_, sample) => {
      expect(await parse(sample)).toMatchObject({ failure: 'unsupported-type' });
    },
    60_000,
  );

  it('does not show mojibake for text in an old encoding', async () => {
    const outcome = await parse(samples.find((sample) => sample.class === 'encoding')!);
    if ('document' in outcome) expect(textOf(outcome.document)).toContain('Однажды, в студеную зимнюю пору');
    else expect(outcome.failure).toBe('unknown-encoding');
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
