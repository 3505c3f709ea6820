import { type GridCell, readGrid } from './table-grid.js';

const cell = (first: number, text: string, more: Partial<GridCell<string>> = {}): GridCell<string> => ({
  ...{ first, last: first, header: false, bold: false, text, content: text },
  ...more,
});
const head = (first: number, text: string, last = first) => cell(first, text, { last, header: true });

describe('readGrid', () => {
  it('lets a cell stand for the rows below that have none of their own', () => {
    const rows = readGrid(
      [
        [head(0, 'Event'), head(1, 'Service'), head(2, 'Limits')],
        [cell(0, 'Tests'), cell(1, 'X-ray'), cell(2, 'None')],
        [cell(1, 'Scan')],
        [cell(0, 'Birth'), cell(1, 'Stay')],
      ],
      3,
    );
    expect(rows.map(({ group, label, cells }) => [group[0], label, cells[0]?.content])).toEqual([
      ['Tests', 'X-ray', 'None'],
      ['Tests', 'Scan', 'None'],
      // What the group above shared ends with it.
      ['Birth', 'Stay', undefined],
    ]);
    expect(rows[1]!.own).toEqual(['Scan']);
  });

  it('puts headers over columns into paths, also a short one centred over three', () => {
    const rows = readGrid(
      [
        [head(0, 'Service'), head(2, 'You pay')],
        [head(1, 'Near'), head(2, 'Far'), head(3, 'Abroad')],
        [cell(0, 'X-ray'), cell(1, '1'), cell(2, '2'), cell(3, '3')],
      ],
      4,
    );
    expect(rows[0]!.cells.map(({ header }) => header.join(' > '))).toEqual([
      'You pay > Near',
      'You pay > Far',
      'You pay > Abroad',
    ]);
  });

  it('takes a row with one cell across the table for the title of those below', () => {
    const rows = readGrid(
      [
        [cell(0, 'Basic', { last: 1 })],
        [cell(0, 'Fillings'), cell(1, '80%')],
        [cell(0, 'Major', { header: true })],
        [cell(0, 'Crowns'), cell(1, '50%')],
      ],
      2,
    );
    expect(rows.map(({ group, label }) => [...group, label])).toEqual([
      ['Basic', 'Fillings'],
      ['Major', 'Crowns'],
    ]);
  });

  it('knows an unmarked header by bold print or by words over numbers', () => {
    const bold = readGrid(
      [
        [cell(0, 'A', { bold: true }), cell(1, 'B', { bold: true })],
        [cell(0, 'x'), cell(1, 'y')],
      ],
      2,
    );
    const words = readGrid(
      [
        [cell(0, 'Plan'), cell(1, 'Price')],
        [cell(0, 'x'), cell(1, '$1')],
      ],
      2,
    );
    const total = readGrid(
      [
        [cell(0, 'Total', { bold: true }), cell(1, '$9', { bold: true })],
        [cell(0, 'x'), cell(1, '$1')],
      ],
      2,
    );
    const none = readGrid(
      [
        [cell(0, 'a'), cell(1, 'b')],
        [cell(0, 'x'), cell(1, 'y')],
      ],
      2,
    );
    expect([bold, words, total, none].map((rows) => rows.length)).toEqual([1, 1, 2, 2]);
    expect(words[0]!.cells).toEqual([{ header: ['Price'], content: '$1' }]);
  });

  it('labels rows by what they name rather than by a date in front of it', () => {
    const rows = readGrid(
      [
        [head(0, 'Date'), head(1, 'Service'), head(2, 'Charged')],
        [cell(0, 'June 9, 2026'), cell(1, 'Office visit'), cell(2, '$240')],
        [cell(0, '06/11/26'), cell(1, 'MRI'), cell(2, '$950')],
        [cell(0, 'Total'), cell(1, ''), cell(2, '$1,190')],
      ],
      3,
    );
    expect(rows.map(({ label }) => label)).toEqual(['Office visit', 'MRI', 'Total']);
    expect(rows[0]!.cells).toEqual([
      { header: ['Date'], content: 'June 9, 2026' },
      { header: ['Charged'], content: '$240' },
    ]);
  });

  it('does not repeat a label that stands over several columns', () => {
    const rows = readGrid(
      [
        [head(0, 'A'), head(1, 'B'), head(2, 'C')],
        [cell(0, 'x', { last: 1 }), cell(2, '$1')],
      ],
      3,
    );
    expect(rows[0]).toMatchObject({ label: 'x', cells: [{ header: ['C'], content: '$1' }] });
  });

  it('leaves out blank cells', () => {
    const rows = readGrid(
      [
        [head(0, 'A'), head(1, 'B'), head(2, 'C')],
        [cell(0, 'x'), cell(1, ''), cell(2, 'z')],
      ],
      3,
    );
    expect(rows[0]!.cells).toEqual([{ header: ['C'], content: 'z' }]);
  });
});
