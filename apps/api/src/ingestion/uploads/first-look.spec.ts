import { firstLook, HEAD_BYTES } from './first-look.js';

const office = (part: string) => `application/vnd.openxmlformats-officedocument.${part}`;
const DOCX = office('wordprocessingml.document');
const OLE_MAGIC = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** The head of a large ZIP file: its first entries, and no directory. */
function zipHead(...names: string[]): Buffer {
  const entries = names.map((name) => {
    const header = Buffer.alloc(30);
    header.write('PK\u0003\u0004', 'latin1');
    header.writeUInt16LE(name.length, 26);
    return Buffer.concat([header, Buffer.from(name)]);
  });
  return padded(Buffer.concat(entries));
}

function padded(start: Buffer): Buffer {
  return Buffer.concat([start, Buffer.alloc(HEAD_BYTES, 1)]).subarray(0, HEAD_BYTES);
}

describe('the first look at an upload', () => {
  it.each([
    ['plan.pdf', Buffer.from('%PDF-1.7\n'), 'application/pdf'],
    ['plan.docx', Buffer.from('%PDF-1.7\n'), 'application/pdf'],
    ['notes.txt', Buffer.from('Deductible: $500'), 'text/plain'],
    ['notes.md', Buffer.from('# Deductible'), 'text/markdown'],
    ['faq.html', Buffer.from('<!doctype html><p>Hi</p>'), 'text/html'],
    ['large.docx', zipHead('[Content_Types].xml', 'word/document.xml'), DOCX],
    ['large.docx', zipHead('a-part-first.bin'), DOCX],
    ['large.xlsx', zipHead('[Content_Types].xml', 'xl/workbook.xml'), office('spreadsheetml.sheet')],
    ['large.pptx', zipHead('a-part-first.bin'), office('presentationml.presentation')],
    ['large.epub', zipHead('a-part-first.bin'), 'application/epub+zip'],
    ['encrypted.docx', padded(OLE_MAGIC), DOCX],
    ['encrypted.xlsx', padded(OLE_MAGIC), office('spreadsheetml.sheet')],
    ['old.xls', padded(OLE_MAGIC), 'application/vnd.ms-excel'],
    ['letter.msg', padded(OLE_MAGIC), 'application/vnd.ms-outlook'],
    ['letter.rtf', Buffer.from('{\\rtf1 Hello}'), 'application/rtf'],
    ['photo.pdf', Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex'), 'image/png'],
    ['call.wav', Buffer.from('RIFF\u0010\u0000\u0000\u0000WAVEfmt ', 'latin1'), 'audio/wav'],
    ['call.flac', Buffer.from('fLaC\u0000\u0000\u0000\u0022', 'latin1'), 'audio/flac'],
  ])('takes %s for what its content says', async (filename, head, mediaType) => {
    expect(await firstLook(head, { filename })).toBe(mediaType);
  });

  it.each([
    ['photo.gif', Buffer.from('GIF89a\u0001\u0000\u0001\u0000')],
    ['plan.pdf', Buffer.from('GIF89a\u0001\u0000\u0001\u0000')],
    ['program.exe', padded(Buffer.from('MZ\u0000\u0000'))],
    ['old.doc', padded(OLE_MAGIC)],
    ['archive.zip', zipHead('a.txt', 'b.txt')],
  ])('refuses %s, which cannot be read', async (filename, head) => {
    await expect(firstLook(head, { filename })).rejects.toMatchObject({ code: 'unsupported-document-type' });
  });

  it('says where a ZIP file is taken', async () => {
    const looking = firstLook(zipHead('a.txt'), { filename: 'plans.zip' });
    await expect(looking).rejects.toThrow(/ZIP file is brought in as an import$/);
  });

  it('refuses an empty file', async () => {
    await expect(firstLook(Buffer.alloc(0), { filename: 'x.pdf' })).rejects.toMatchObject({
      code: 'empty-document',
    });
  });

  it('refuses a saved error page that calls itself a PDF', async () => {
    const page = Buffer.from('<html><body>Session expired</body></html>');
    await expect(firstLook(page, { filename: 'plan.pdf' })).rejects.toMatchObject({
      code: 'mistyped-document',
    });
  });

  it('leaves a ZIP that is small and broken to the parser, which can say more', async () => {
    expect(await firstLook(Buffer.from('PK\u0003\u0004rubbish'), { filename: 'plan.docx' })).toBe(DOCX);
  });
});
