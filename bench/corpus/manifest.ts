import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Real files of many formats with what must become of them; they are no part of this project. */
export const CORPUS_FOLDER = '../shared/data/documents';

export type SampleClass =
  | 'text'
  | 'ocr'
  | 'transcript'
  | 'password'
  | 'encrypted'
  | 'encrypted-or-owner'
  | 'malformed'
  | 'bomb'
  | 'no-text'
  | 'encoding';

export interface Sample {
  /** Relative to the folder. */
  file: string;
  format: string;
  class: SampleClass;
  /** What must be found, or what is said; empty when nothing is prescribed. */
  expected: string;
  /** Opens the file; empty when there is none, or none is known. */
  password: string;
}

/** @throws when the folder is not there */
export async function readManifest(folder = CORPUS_FOLDER): Promise<Sample[]> {
  const table = await readFile(join(folder, 'manifest.tsv'), 'utf8');
  const [header, ...lines] = table.trimEnd().split('\n');
  const columns = header!.split('\t');
  return lines.map((line) => {
    const values = line.split('\t');
    const at = (name: string) => values[columns.indexOf(name)] ?? '';
    return {
      file: at('file'),
      format: at('format'),
      class: at('class') as SampleClass,
      expected: at('expected_text'),
      password: at('password'),
    };
  });
}
