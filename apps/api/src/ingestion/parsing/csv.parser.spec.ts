import type { TableBlock } from './extracted-document.js';
import { parseCsv } from './csv.parser.js';

const rowsOf = (text: string) =>
  parseCsv(Buffer.from(text)).blocks.flatMap((block) =>
    block.kind === 'table'
      ? block.rows.map(({ label, cells }) => [label, cells.map((c) => `${c.header}=${c.text}`)])
      : [],
  );

describe('parseCsv', () => {
  it('keeps header, row and value together', () => {
    expect(
      rowsOf('Service,In-network,Out-of-network\nVisit,$30,$60\n"X-ray, chest",$80,Not covered\n'),
    ).toEqual([
      ['Visit', ['In-network=$30', 'Out-of-network=$60']],
      ['X-ray, chest', ['In-network=$80', 'Out-of-network=Not covered']],
    ]);
  });

  it.each([
    ['semicolons', 'Service;Price;Note\nVisit;30,50;a\nX-ray;80,00;b\n'],
    ['tabs', 'Service\tPrice\tNote\nVisit\t30,50\ta\nX-ray\t80,00\tb\n'],
    ['bars', 'Service|Price|Note\nVisit|30,50|a\nX-ray|80,00|b\n'],
    ['what the file says', 'sep=;\nService;Price;Note\nVisit;30,50;a\nX-ray;80,00;b\n'],
  ])('finds out that values are parted by %s', (_, text) => {
    expect(rowsOf(text)).toEqual([
      ['Visit', ['Price=30,50', 'Note=a']],
      ['X-ray', ['Price=80,00', 'Note=b']],
    ]);
  });

  it('reads quotes in quotes, lines in values and short rows', () => {
    expect(rowsOf('Term,Meaning,See\n"""UCR""","usual,\ncustomary",page 3\nEOB,explanation\n')).toEqual([
      ['"UCR"', ['Meaning=usual, customary', 'See=page 3']],
      ['EOB', ['Meaning=explanation']],
    ]);
  });

  it('keeps figures as they are written', () => {
    expect(rowsOf('Name,Id,Day\nAnn,00123456789012345678,1/2/26\n')).toEqual([
      ['Ann', ['Id=00123456789012345678', 'Day=1/2/26']],
    ]);
  });

  it('says so when rows were left out', () => {
    const { warnings, blocks } = parseCsv(Buffer.from('a,b,c\n' + '1,2,3\n'.repeat(10_100)));
    expect(warnings).toEqual([{ code: 'rows-left-out' }]);
    expect((blocks[0] as TableBlock).rows).toHaveLength(9_999);
  });

  it('refuses a file without values', () => {
    expect(() => parseCsv(Buffer.from(',,\n,,\n'))).toThrow(expect.objectContaining({ code: 'no-text' }));
  });
});
