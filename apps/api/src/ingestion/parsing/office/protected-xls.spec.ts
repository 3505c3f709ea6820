import { createHash } from 'node:crypto';
import * as XLSX from '@e965/xlsx';
import { parseSheets } from './sheets.parser.js';

const md5 = (...parts: Buffer[]) => createHash('md5').update(Buffer.concat(parts)).digest();
const [BOF, FILE_PASS, BOUND_SHEET, INTERFACE_HEADER] = [0x809, 0x2f, 0x85, 0xe1];
const FILE_PASS_BYTES = 58;

/** An endless stream of the cipher that old Excel uses. */
function* rc4(key: Buffer): Generator<number, never> {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i);
  const swap = (a: number, b: number) => ([state[a], state[b]] = [state[b]!, state[a]!]);
  for (let i = 0, j = 0; i < 256; i += 1) swap(i, (j = (j + state[i]! + key[i % key.length]!) & 255));
  for (let i = 1, j = 0; ; i = (i + 1) & 255) {
    swap(i, (j = (j + state[i]!) & 255));
    yield state[(state[i]! + state[j]!) & 255]!;
  }
}

/** [MS-OFFCRYPTO] 2.3.6.2: a key for every 1,024 bytes. */
function keyOf(password: string, salt: Buffer, block: number): Buffer {
  const short = md5(Buffer.from(password, 'utf16le')).subarray(0, 5);
  const number = Buffer.alloc(4);
  number.writeUInt32LE(block);
  const salted = md5(...Array.from({ length: 16 }, () => [short, salt]).flat());
  return md5(salted.subarray(0, 5), number);
}

/** [MS-XLS] 2.2.10: heads of records and a few records stay as they are, but use up the stream of the cipher. */
function encrypted(records: Buffer, password: string): Buffer {
  const salt = Buffer.alloc(16, 5);
  const stream = rc4(keyOf(password, salt, 0));
  const hidden = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ stream.next().value));
  const verifier = Buffer.alloc(16, 6);
  const pass = Buffer.alloc(10);
  [FILE_PASS, FILE_PASS_BYTES - 4, 1, 1, 1].forEach((value, i) => pass.writeUInt16LE(value, i * 2));
  const bofBytes = 4 + records.readUInt16LE(2);
  const all = Buffer.concat([
    records.subarray(0, bofBytes),
    Buffer.concat([pass, salt, hidden(verifier), hidden(md5(verifier))]),
    records.subarray(bofBytes),
  ]);
  const plain = plainBytes(all);
  let cipher = stream;
  return Buffer.from(
    all.map((byte, at) => {
      if (at % 1_024 === 0) cipher = rc4(keyOf(password, salt, at / 1_024));
      const mask = cipher.next().value;
      return plain.has(at) ? byte : byte ^ mask;
    }),
  );
}

function plainBytes(records: Buffer): Set<number> {
  const plain = new Set<number>();
  for (let at = 0; at + 4 <= records.length; at += 4 + records.readUInt16LE(at + 2)) {
    const type = records.readUInt16LE(at);
    const length = records.readUInt16LE(at + 2);
    const isPlain = [BOF, FILE_PASS, INTERFACE_HEADER].includes(type);
    // Where a sheet begins is not hidden, and has moved.
    const shown = isPlain ? length : type === BOUND_SHEET ? 4 : 0;
    if (type === BOUND_SHEET) records.writeUInt32LE(records.readUInt32LE(at + 4) + FILE_PASS_BYTES, at + 4);
    for (let i = 0; i < 4 + shown; i += 1) plain.add(at + i);
  }
  return plain;
}

function protectedXls(rows: string[][], password: string): Buffer {
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), 'Costs');
  const bytes = XLSX.write(book, { type: 'buffer', bookType: 'biff8' }) as Buffer;
  const container = XLSX.CFB.read(bytes, { type: 'buffer' });
  const workbook = Buffer.from(XLSX.CFB.find(container, 'Workbook')!.content as Buffer);
  const sealed = XLSX.CFB.utils.cfb_new();
  XLSX.CFB.utils.cfb_add(sealed, '/Workbook', encrypted(workbook, password));
  return XLSX.CFB.write(sealed, { type: 'buffer' }) as Buffer;
}

describe('an old workbook with a password', () => {
  const rows = Array.from({ length: 60 }, (_, i) => [`Service ${i}`, `costs ${i} dollars`, `limit ${i}`]);
  const bytes = protectedXls([['Service', 'Cost', 'Limit'], ...rows], 'open');

  it('is opened with it', async () => {
    const { blocks } = await parseSheets(bytes, 'xls', { password: 'open' });
    expect(blocks).toMatchObject([
      { kind: 'heading', text: 'Costs' },
      {
        rows: expect.arrayContaining([
          expect.objectContaining({
            label: 'Service 59',
            cells: [
              { header: 'Cost', text: 'costs 59 dollars', box: null },
              { header: 'Limit', text: 'limit 59', box: null },
            ],
          }),
        ]),
      },
    ]);
  });

  it('is not opened without it, or with another one', async () => {
    await expect(parseSheets(bytes, 'xls')).rejects.toMatchObject({ code: 'password-protected' });
    await expect(parseSheets(bytes, 'xls', { password: 'shut' })).rejects.toMatchObject({
      code: 'wrong-password',
    });
  });
});
