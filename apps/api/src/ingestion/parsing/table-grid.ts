/** A cell of a table row with the columns that it stands over. `Content` is whatever the format's parser knows of it. */
export interface GridCell<Content> {
  /** Its first and last column. */
  first: number;
  last: number;
  header: boolean;
  bold: boolean;
  /** Blank means that the cell is there and has nothing in it. */
  text: string;
  content: Content;
}

export interface GridRow<Content> {
  /** Labels that the row shares with others, outermost first. */
  group: Content[];
  label: Content | null;
  /** With the column headers over each, outermost first. Blank cells are left out. */
  cells: { header: Content[]; content: Content }[];
  /** What belongs to this row alone, without cells that began in a row above. */
  own: Content[];
}

type Row<Content> = GridCell<Content>[];

/**
 * Reads rows with their labels and headers. A column that a row has no cell for is covered by a cell that began
 * above, as in HTML; so a blank cell must be given as a cell.
 */
export function readGrid<Content>(rows: Row<Content>[], columnCount: number): GridRow<Content>[] {
  const headerCount = countHeaderRows(rows, columnCount);
  const headers = rows.slice(0, headerCount);
  const body = rows.slice(headerCount);
  const groupColumns = countGroupColumns(body, columnCount);
  const labelColumn = findLabelColumn(body, groupColumns, columnCount);
  const paths = Array.from({ length: columnCount }, (_, column) => headerPath(headers, column));
  const result: GridRow<Content>[] = [];
  let section: Content | null = null;
  let above: (GridCell<Content> | undefined)[] = [];
  for (const row of body) {
    if (isSection(row, columnCount)) {
      section = row.find(isFilled)!.content;
      above = [];
      continue;
    }
    const starts = Array.from({ length: columnCount }, (_, column) => cellAt(row, column));
    // A new group ends what its predecessor shared.
    const startsGroup = groupColumns > 0 && starts[0] !== undefined;
    above = starts.map((cell, column) => cell ?? (startsGroup ? undefined : above[column]));
    result.push(readRow(row, above, { section, groupColumns, labelColumn, paths }));
  }
  return result;
}

interface Reading<Content> {
  section: Content | null;
  groupColumns: number;
  labelColumn: number;
  paths: Content[][];
}

function readRow<Content>(
  row: Row<Content>,
  cells: (GridCell<Content> | undefined)[],
  { section, groupColumns, labelColumn, paths }: Reading<Content>,
): GridRow<Content> {
  const filled = cells.map((cell) => (cell && isFilled(cell) ? cell : undefined));
  const labels = filled.slice(0, groupColumns).flatMap((cell) => (cell ? [cell.content] : []));
  // A sum at the foot of the table is often named in the first column.
  const label = filled[labelColumn] ?? filled[groupColumns];
  const naming = new Set([label, ...filled.slice(0, groupColumns)]);
  return {
    group: section === null ? labels : [section, ...labels],
    label: label?.content ?? null,
    cells: filled.flatMap((cell, column) =>
      cell && column >= groupColumns && !naming.has(cell)
        ? [{ header: paths[column]!, content: cell.content }]
        : [],
    ),
    own: row.filter((cell) => cell.first >= groupColumns && isFilled(cell)).map((cell) => cell.content),
  };
}

const isFilled = (cell: GridCell<unknown>) => cell.text !== '';

function cellAt<Content>(row: Row<Content>, column: number): GridCell<Content> | undefined {
  return row.find((cell) => cell.first <= column && column <= cell.last);
}

function countHeaderRows(rows: Row<unknown>[], columnCount: number): number {
  const firstBody = rows.findIndex(
    (row) => !row.every((cell) => cell.header || !isFilled(cell)) || isSection(row, columnCount),
  );
  if (firstBody > 0) return firstBody;
  // Nothing is marked, or everything is, which tells as little.
  if (rows.length === 0) return 0;
  const [first, ...others] = rows as [Row<unknown>, ...Row<unknown>[]];
  const complete = first.length === columnCount && first.slice(1).every(isFilled) && columnCount > 1;
  return complete && others.length > 0 && looksLikeHeader(first, others) ? 1 : 0;
}

/** For tables whose author did not mark the header: bold over plain text, or words over numbers. */
function looksLikeHeader(first: Row<unknown>, others: Row<unknown>[]): boolean {
  if (first.slice(1).some((cell) => isAmount(cell.text))) return false;
  const isBold = (cell: GridCell<unknown>) => cell.bold || !isFilled(cell);
  if (first.every(isBold) && !others.every((row) => row.every(isBold))) return true;
  const hasDigit = (cell: GridCell<unknown>) => /\d/.test(cell.text);
  const numeric = others.filter((row) => row.slice(1).some(hasDigit)).length;
  return !first.some(hasDigit) && numeric * 2 > others.length;
}

/** A sum, which no column is called by; but some are called by a year. */
export function isAmount(text: string): boolean {
  return /^(?!(?:19|20)\d\d$)[$€£]?\s?\d[\d.,]*\s?[%€]?$/.test(text);
}

/** A row with a single cell across the table names the rows under it. */
function isSection(row: Row<unknown>, columnCount: number): boolean {
  const filled = row.filter(isFilled);
  const [cell] = filled;
  if (columnCount < 2 || filled.length !== 1 || !cell || cell.first > 0) return false;
  const spansAll = cell.last === columnCount - 1;
  return row.length === 1 ? cell.header || cell.last > cell.first || cell.bold : spansAll || cell.bold;
}

/** Leading columns in which some row has no cell of its own, so that one label stands for several rows. */
function countGroupColumns(body: Row<unknown>[], columnCount: number): number {
  const rows = body.filter((row) => !isSection(row, columnCount));
  const most = Math.max(0, columnCount - 2);
  let count = 0;
  while (count < most && rows.some((row) => cellAt(row, count) === undefined)) count += 1;
  return count;
}

/** The first column behind the groups that names things, rather than dating or counting them. */
function findLabelColumn(body: Row<unknown>[], groupColumns: number, columnCount: number): number {
  const counts = (column: number) => {
    const texts = body.flatMap((row) => cellAt(row, column)?.text || []);
    return texts.filter((text) => COUNT_OR_DATE.test(text)).length * 2 > texts.length;
  };
  const next = groupColumns + 1;
  return next < columnCount && counts(groupColumns) && !counts(next) ? next : groupColumns;
}

/** Figures with their signs and units, and the names of months. */
const COUNT_OR_DATE =
  /^(?=.*\d)(?:[\d\p{P}\p{S}\s]|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)+$/iu;

/** The headers over a column, from the outside in. */
function headerPath<Content>(headers: Row<Content>[], column: number): Content[] {
  return headers.flatMap((row, level) => {
    const over = cellAt(row, column) ?? nearestSpanning(row, headers[level + 1], column);
    return over && isFilled(over) ? [over.content] : [];
  });
}

/** Where only the text's place is known, a short header centred over many columns misses the outer ones. */
function nearestSpanning<Content>(row: Row<Content>, below: Row<Content> | undefined, column: number) {
  if (!below || !cellAt(below, column)) return undefined;
  return row
    .filter((cell) => below.some((other) => other.first <= cell.last && cell.first <= other.last))
    .sort((a, b) => distance(a, column) - distance(b, column))[0];
}

const distance = (cell: GridCell<unknown>, column: number) =>
  Math.max(cell.first - column, column - cell.last, 0);
