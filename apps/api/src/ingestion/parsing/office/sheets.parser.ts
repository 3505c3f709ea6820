import * as XLSX from '@e965/xlsx';
import * as codepages from '@e965/xlsx/dist/cpexcel.full.mjs';
import { cleanText } from '../clean-text.js';
import type { Block, ExtractedDocument, ExtractionWarning } from '../extracted-document.js';
import { ParseFailure } from '../parse-failure.js';
import { isZip, ZipArchive } from '../zip-archive.js';
import { type Merge, sheetBlocks } from './sheet-blocks.js';
import { decryptOffice } from './unlock.js';

XLSX.set_cptable(codepages);

const OPTIONS: XLSX.ParsingOptions = {
  type: 'buffer',
  dense: true,
  cellFormula: false,
  cellHTML: false,
  cellNF: true,
  // "1/2/26" is read one way here and another way there.
  dateNF: 'yyyy-mm-dd',
};

/**
 * Reads a workbook, new or old: every sheet that is shown, its tables with their headers, figures as they are shown.
 * @throws ParseFailure corrupt-file, password-protected, wrong-password, no-text, too-complex
 */
export async function parseSheets(
  bytes: Uint8Array,
  format: 'xlsx' | 'xls',
  { password }: { password?: string } = {},
): Promise<ExtractedDocument> {
  if (isZip(bytes)) ZipArchive.open(bytes);
  const workbook = await openWorkbook(bytes, password);
  const hidden = new Set(
    (workbook.Workbook?.Sheets ?? []).filter(({ Hidden }) => Hidden).map(({ name }) => name),
  );
  const shown = workbook.SheetNames.filter((name) => !hidden.has(name));
  const warnings: ExtractionWarning[] = [];
  const blocks = shown.flatMap((name): Block[] => {
    const { rows, merges, isCut } = textsOf(workbook.Sheets[name]!);
    if (isCut && warnings.length === 0) warnings.push({ code: 'rows-left-out' });
    const title = cleanText(name);
    const found = sheetBlocks({ name: DEFAULT_NAME.test(title) ? '' : title, rows, merges });
    const isNamed = found.length > 0 && (shown.length > 1 || !DEFAULT_NAME.test(title));
    return isNamed ? [{ kind: 'heading', level: 1, text: title, page: null, box: null }, ...found] : found;
  });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format, title: cleanText(workbook.Props?.Title ?? '') || null, pageCount: null, blocks, warnings };
}

/** Old workbooks are encrypted from the inside. */
async function openWorkbook(bytes: Uint8Array, password: string | undefined): Promise<XLSX.WorkBook> {
  try {
    return readWorkbook(bytes);
  } catch (error) {
    const isProtected = error instanceof ParseFailure && error.code === 'password-protected';
    if (!isProtected || password === undefined) throw error;
    return readWorkbook(await decryptOffice(bytes, password));
  }
}

function readWorkbook(bytes: Uint8Array): XLSX.WorkBook {
  try {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // One row more than is kept, so that it shows when there are more.
    return XLSX.read(buffer, { ...OPTIONS, sheetRows: MAX_ROWS + 1 });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const isProtected = /password|encrypt/i.test((error as Error).message);
    throw new ParseFailure(isProtected ? 'password-protected' : 'corrupt-file', { cause: error });
  }
}

interface Texts {
  rows: string[][];
  merges: Merge[];
  /** Rows or columns were left out. */
  isCut: boolean;
}

function textsOf(sheet: XLSX.WorkSheet): Texts {
  // Rows without cells are holes.
  const cells = Array.from((sheet['!data'] ?? []) as (XLSX.CellObject[] | undefined)[], (row) => row ?? []);
  const widest = cells.reduce((most, row) => Math.max(most, row.length), 0);
  const width = Math.min(MAX_COLUMNS, widest);
  const rows = cells
    .slice(0, MAX_ROWS)
    .map((row) => Array.from({ length: width }, (_, column) => textOf(row[column])));
  const merges = (sheet['!merges'] ?? []).map(({ s, e }) => ({
    firstRow: s.r,
    lastRow: e.r,
    first: s.c,
    last: e.c,
  }));
  return { rows, merges, isCut: cells.length > MAX_ROWS || widest > MAX_COLUMNS };
}

/** What the cell shows; but a number that would not fit its column is given in full. */
function textOf(cell: XLSX.CellObject | undefined): string {
  if (!cell || cell.v === undefined || cell.t === 'z') return '';
  const shown = cell.w ?? String(cell.v);
  const isShortened =
    cell.t === 'n' && /^-?\d(?:\.\d+)?E\+\d+$/.test(shown) && (cell.z ?? 'General') === 'General';
  return isShortened ? exact(cell.v as number) : cleanText(shown);
}

const exact = (value: number) => (Number.isSafeInteger(value) ? value.toFixed(0) : String(value));

/** As the program names a sheet that nobody gave a name. */
const DEFAULT_NAME = /^(?:Sheet|Tabelle|Feuil|Hoja|Foglio|Planilha|Blad)\s?\d+$/i;
const MAX_COLUMNS = 100;
/** As many rows are a document of a thousand pages. */
const MAX_ROWS = 10_000;
