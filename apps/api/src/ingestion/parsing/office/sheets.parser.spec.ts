import * as XLSX from '@e965/xlsx';
import officeCrypto from 'officecrypto-tool';
import { parseSheets } from './sheets.parser.js';

type Cell = string | number | XLSX.CellObject | null;

function workbook(sheets: Record<string, Cell[][]>, change?: (book: XLSX.WorkBook) => void): XLSX.WorkBook {
  const book = XLSX.utils.book_new();
  for (const [name, rows] of Object.entries(sheets))
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), name);
  change?.(book);
  return book;
}

const bytesOf = (book: XLSX.WorkBook, bookType: 'xlsx' | 'biff8' = 'xlsx') =>
  XLSX.write(book, { type: 'buffer', bookType }) as Buffer;

const COSTS: Cell[][] = [
  ['Service', 'In-network', 'Out-of-network'],
  ['Visit', { t: 'n', v: 30, z: '$#,##0.00' }, { t: 'n', v: 0.4, z: '0%' }],
  ['X-ray', { t: 'n', v: 1599.99, z: '$#,##0.00' }, 'Not covered'],
];

describe('parseSheets', () => {
  it.each([
    ['xlsx', 'xlsx'],
    ['xls', 'biff8'],
  ] as const)('keeps header, row and figure as shown together in %s', async (format, bookType) => {
    const { blocks } = await parseSheets(bytesOf(workbook({ Costs: COSTS }), bookType), format);
    expect(blocks).toMatchObject([
      { kind: 'heading', level: 1, text: 'Costs' },
      {
        kind: 'table',
        caption: 'Costs',
        rows: [
          {
            label: 'Visit',
            cells: [
              { header: 'In-network', text: '$30.00' },
              { header: 'Out-of-network', text: '40%' },
            ],
          },
          { label: 'X-ray', cells: [{ text: '$1,599.99' }, { text: 'Not covered' }] },
        ],
      },
    ]);
  });

  it('takes lines over a table for its caption, and parts tables by empty rows', async () => {
    const rows: Cell[][] = [
      ['Plan figures'],
      ...COSTS,
      ['Valid from 2026'],
      [],
      ['Contact', null],
      [],
      ['Number', 'Square'],
      [],
      [2, 4],
      [3, 9],
    ];
    const { blocks } = await parseSheets(bytesOf(workbook({ Sheet1: rows })), 'xlsx');
    expect(blocks).toMatchObject([
      { kind: 'table', caption: 'Plan figures', rows: { length: 2 } },
      { kind: 'paragraph', text: 'Valid from 2026' },
      { kind: 'paragraph', text: 'Contact' },
      { kind: 'table', rows: [{ label: '2', cells: [{ header: 'Square', text: '4' }] }, { label: '3' }] },
    ]);
  });

  it('reads a merged header over its columns, and a merged label for its rows', async () => {
    const rows: Cell[][] = [
      ['Service', 'You pay', null],
      [null, 'In', 'Out'],
      ['Visit', '$30', '$60'],
      ['Drugs', '$5', '$9'],
    ];
    const book = workbook({ Sheet1: rows }, ({ Sheets }) => {
      Sheets['Sheet1']!['!merges'] = [XLSX.utils.decode_range('B1:C1'), XLSX.utils.decode_range('A1:A2')];
    });
    const { blocks } = await parseSheets(bytesOf(book), 'xlsx');
    expect(blocks).toMatchObject([
      {
        rows: [
          {
            label: 'Visit',
            cells: [
              { header: 'You pay > In', text: '$30' },
              { header: 'You pay > Out', text: '$60' },
            ],
          },
          { label: 'Drugs' },
        ],
      },
    ]);
  });

  it('gives large numbers in full and dates without doubt', async () => {
    const rows: Cell[][] = [
      ['Name', 'Policy', 'From'],
      ['Ann', 123456789012345, { t: 'n', v: 46024, z: 'm/d/yy' }],
    ];
    const { blocks } = await parseSheets(bytesOf(workbook({ Sheet1: rows })), 'xlsx');
    expect(blocks).toMatchObject([
      { rows: [{ cells: [{ text: '123456789012345' }, { text: '2026-01-02' }] }] },
    ]);
  });

  it('leaves out hidden sheets', async () => {
    const book = workbook({ Shown: COSTS, Secret: [['x', 'y']] }, (b) => {
      b.Workbook = { Sheets: [{ Hidden: 0 }, { Hidden: 2 }] };
    });
    expect(JSON.stringify((await parseSheets(bytesOf(book), 'xlsx')).blocks)).not.toContain('Secret');
  });

  it('says so when rows were left out', async () => {
    const rows = Array.from({ length: 10_050 }, (_, i) => [`Row ${i}`, i]);
    const { warnings, blocks } = await parseSheets(bytesOf(workbook({ Sheet1: rows })), 'xlsx');
    expect(warnings).toEqual([{ code: 'rows-left-out' }]);
    expect(JSON.stringify(blocks)).not.toContain('Row 10049');
  });

  it('refuses what is damaged, empty or protected', async () => {
    await expect(parseSheets(Buffer.from('PK\u0003\u0004rubbish'), 'xlsx')).rejects.toMatchObject({
      code: 'corrupt-file',
    });
    await expect(parseSheets(bytesOf(workbook({ Sheet1: [[]] })), 'xlsx')).rejects.toMatchObject({
      code: 'no-text',
    });
  });
});

describe('unlock', () => {
  it('opens an encrypted workbook with its password only', async () => {
    const { unlock } = await import('./unlock.js');
    const plain = bytesOf(workbook({ Costs: COSTS }));
    const encrypted = officeCrypto.encrypt(plain, { password: 'open sesame' });
    expect(await unlock(plain, undefined)).toBe(plain);
    expect(Buffer.compare(await unlock(encrypted, 'open sesame'), plain)).toBe(0);
    await expect(unlock(encrypted, undefined)).rejects.toMatchObject({ code: 'password-protected' });
    await expect(unlock(encrypted, 'wrong')).rejects.toMatchObject({ code: 'wrong-password' });
  });
});
