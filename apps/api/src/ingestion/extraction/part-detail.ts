import { type ExtractionWarning, textsOf } from '../parsing/extracted-document.js';
import type { ExtractedPart } from './extractor.js';
import { type Hearing, sumOfHearing } from './hearing.js';

/** What is known of a part without reading it again. Of a whole document it is the sum over its parts. */
export interface PartDetail {
  blocks: number;
  words: number;
  /** Other than white space, in UTF-16 code units. */
  characters: number;
  /** Those that no writing system uses, such as of a font without a mapping. */
  garbled: number;
  /** Words that a machine read or heard, and the sum of how sure it was of each. */
  recognisedWords: number;
  confidenceSum: number;
  tableRows: number;
  cells: number;
  cellsWithoutHeader: number;
  /** How much the print of headings stands out, where their levels follow from that. */
  headingStyles: number[];
  warnings: ExtractionWarning[];
  /** Of recordings. */
  hearing?: Hearing;
}

export function detailOf({ blocks, warnings, recognised, hearing }: ExtractedPart): PartDetail {
  const texts = blocks.flatMap(textsOf);
  const cells = blocks.flatMap((block) =>
    block.kind === 'table' ? block.rows.flatMap((row) => row.cells) : [],
  );
  return {
    blocks: blocks.length,
    words: sum(texts, (text) => text.match(/\S+/g)?.length ?? 0),
    characters: sum(texts, (text) => text.match(/\S/g)?.length ?? 0),
    garbled: sum(texts, (text) => text.match(GARBLED)?.join('').length ?? 0),
    recognisedWords: recognised?.words ?? 0,
    confidenceSum: recognised ? recognised.words * recognised.confidence : 0,
    tableRows: sum(blocks, (block) => (block.kind === 'table' ? block.rows.length : 0)),
    cells: cells.length,
    cellsWithoutHeader: cells.filter((cell) => cell.header === '').length,
    headingStyles: [
      ...new Set(blocks.flatMap((block) => (block.kind === 'heading' ? (block.style ?? []) : []))),
    ],
    warnings,
    hearing,
  };
}

export function sumOf(details: readonly PartDetail[]): PartDetail {
  const total = (field: Exclude<keyof PartDetail, 'warnings' | 'headingStyles' | 'hearing'>) =>
    sum(details, (detail) => detail[field]);
  return {
    blocks: total('blocks'),
    words: total('words'),
    characters: total('characters'),
    garbled: total('garbled'),
    recognisedWords: total('recognisedWords'),
    confidenceSum: total('confidenceSum'),
    tableRows: total('tableRows'),
    cells: total('cells'),
    cellsWithoutHeader: total('cellsWithoutHeader'),
    headingStyles: [...new Set(details.flatMap((detail) => detail.headingStyles))].sort((a, b) => b - a),
    warnings: details.flatMap((detail) => detail.warnings),
    hearing: sumOfHearing(details.map((detail) => detail.hearing)),
  };
}

const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((total, item) => total + value(item), 0);

/** The replacement character, private and unassigned code points, control characters, and glyphs without a name. */
const GARBLED = /\(cid:\d+\)|[\uFFFD\p{Co}\p{Cn}]|(?![\t\n\r])\p{Cc}/gu;
