import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { ExtractedDocument } from './extracted-document.js';
import { sheetBlocks } from './office/sheet-blocks.js';
import { ParseFailure } from './parse-failure.js';

/**
 * Reads a table of values parted by commas, semicolons, tabs or bars, as RFC 4180 has it.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseCsv(bytes: Uint8Array): ExtractedDocument {
  const text = decodeText(bytes).replace(/^\uFEFF/, '');
  // Excel writes the delimiter into a line of its own.
  const stated = /^sep=(.)\r?\n/i.exec(text);
  const body = stated ? text.slice(stated[0].length) : text;
  const all = readRows(body, stated?.[1] ?? delimiterOf(body));
  const width = all.reduce((most, row) => Math.max(most, row.length), 0);
  const rows = all
    .slice(0, MAX_ROWS)
    .map((row) => Array.from({ length: Math.min(width, MAX_COLUMNS) }, (_, column) => row[column] ?? ''));
  const blocks = sheetBlocks({ name: '', rows, merges: [] });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  const isCut = all.length > MAX_ROWS || width > MAX_COLUMNS;
  return {
    format: 'csv',
    title: null,
    pageCount: null,
    blocks,
    warnings: isCut ? [{ code: 'rows-left-out' }] : [],
  };
}

/** The one that parts the first lines into the same number of values, and into most of them. */
function delimiterOf(text: string): string {
  const head = text.slice(0, HEAD_CHARACTERS);
  const scored = [',', ';', '\t', '|'].map((delimiter) => {
    const counts = readRows(head, delimiter)
      .slice(0, LINES_TO_JUDGE_BY)
      .map((row) => row.length);
    const usual = counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 1;
    const alike = counts.filter((count) => count === usual).length / Math.max(1, counts.length);
    return { delimiter, score: usual > 1 ? alike * Math.log2(usual) : 0 };
  });
  return scored.sort((a, b) => b.score - a.score)[0]!.delimiter;
}

function readRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  // A value in quotes, in which two quotes are one; or one without; and what ends it.
  const value = new RegExp(
    `(?:"((?:[^"]|"")*)"[^${escaped(delimiter)}\\r\\n]*|([^${escaped(delimiter)}\\r\\n]*))(${escaped(delimiter)}|\\r\\n?|\\n|$)`,
    'gy',
  );
  for (let match = value.exec(text); match; match = value.exec(text)) {
    row.push(cleanText(match[1]?.replaceAll('""', '"') ?? match[2] ?? ''));
    if (match[3] !== delimiter) {
      rows.push(row);
      row = [];
    }
    if (value.lastIndex >= text.length && match[3] !== delimiter) break;
    if (rows.length > MAX_ROWS) break;
  }
  return rows;
}

const escaped = (delimiter: string) => (delimiter === '|' ? '\\|' : delimiter === '\t' ? '\\t' : delimiter);

const HEAD_CHARACTERS = 20_000;
const LINES_TO_JUDGE_BY = 20;
const MAX_COLUMNS = 100;
const MAX_ROWS = 10_000;
