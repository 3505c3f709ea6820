import { Document, Packer, Paragraph } from 'docx';
import { mediaTypeOf } from './media-types.js';
import { sniff } from './sniff.js';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const docx = () => Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph('Hello')] }] }));

/** An OLE container whose root holds one stream of this name. */
function ole(name: string): Buffer {
  const bytes = Buffer.alloc(512 * 3);
  bytes.write('d0cf11e0a1b11ae1', 0, 'hex');
  bytes.writeUInt16LE(9, 0x1e);
  bytes.writeUInt32LE(1, 0x30);
  bytes.fill(0xff, 0x4c, 512);
  bytes.writeUInt32LE(0, 0x4c);
  bytes.fill(0xff, 512, 1_024);
  const entry = (index: number, text: string, child: number) => {
    const at = 1_024 + index * 128;
    bytes.write(text, at, 'utf16le');
    bytes.writeUInt16LE(text.length * 2 + 2, at + 64);
    bytes.fill(0xff, at + 68, at + 80);
    bytes.writeUInt32LE(child, at + 76);
  };
  entry(0, 'Root Entry', 1);
  entry(1, name, 0xffff_ffff);
  return bytes;
}

const look = (bytes: Uint8Array | string, filename: string) =>
  sniff(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { filename }).catch(
    (error: { code: string }) => error.code,
  );

describe('sniff', () => {
  it('goes by the content of documents, whatever their names say', async () => {
    expect(await look('%PDF-1.7 …', 'policy.docx')).toBe(PDF);
    expect(await look('rubbish before\n%PDF-1.4 …', 'policy')).toBe(PDF);
    expect(await look(await docx(), 'policy.pdf')).toBe(DOCX);
  });

  it.each([
    ['notes.txt', 'Plain words.', 'text/plain'],
    ['notes', 'Plain words.', 'text/plain'],
    ['notes.md', '# Plan', 'text/markdown'],
    ['page.html', '<!-- hi --><html><body>Plan</body></html>', 'text/html'],
    ['page.txt', '<!DOCTYPE html><p>Plan', 'text/html'],
    ['page.xhtml', '<?xml version="1.0"?><html>Plan</html>', 'text/html'],
    ['page.html', 'No tag at all', 'text/plain'],
  ])('tells apart texts by their name and their tags: %s', async (filename, text, mediaType) => {
    expect(await look(text, filename)).toBe(mediaType);
  });

  it('refuses a text that claims to be a document, such as a saved error page', async () => {
    expect(await look('<html>Please sign in</html>', 'policy.pdf')).toBe('mistyped');
    expect(await look('This is not a zip file!', 'policy.docx')).toBe('mistyped');
  });

  it('names what is missing', async () => {
    expect(await look('', 'policy.pdf')).toBe('empty-file');
    expect(await look('PK\u0003\u0004 and nothing else', 'policy.docx')).toBe('corrupt-file');
  });

  it.each([
    ['table.csv', 'a,b\n1,2', 'text/csv'],
    ['letter.eml', 'Subject: Claim\nFrom: a@example.com\n\nHello', 'message/rfc822'],
    ['letter', 'Received: by x\n\tfor y\nFrom: a@example.com\n\nHello', 'message/rfc822'],
    ['Inbox', 'From a@example.com Mon Jun 01 04:28:28 2009\nSubject: Claim\n\nHello', 'application/mbox'],
    ['talk.vtt', 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello', 'text/vtt'],
    ['talk', '1\n00:00:01,000 --> 00:00:02,000\nHello', 'application/x-subrip'],
    ['letter.txt', '{\\rtf1 Hello}', 'application/rtf'],
  ])('knows mail, tables and subtitles: %s', async (filename, text, mediaType) => {
    expect(await look(text, filename)).toBe(mediaType);
  });

  it.each([
    ['EncryptedPackage', 'policy.xlsx', mediaTypeOf('xlsx')],
    ['EncryptedPackage', 'policy', DOCX],
    ['Workbook', 'policy.doc', mediaTypeOf('xls')],
    ['__properties_version1.0', 'policy.xls', mediaTypeOf('outlook')],
  ])('tells what an OLE container holds: %s', async (stream, filename, mediaType) => {
    expect(await look(ole(stream), filename)).toBe(mediaType);
  });

  it.each([
    ['scan.pdf', Buffer.from('89504e470d0a1a0a0000000d494844520000000100000001', 'hex'), 'image/png'],
    // Its directory lies behind what was sent.
    ['fax.tif', Buffer.concat([Buffer.from('49492a00902e0100', 'hex'), Buffer.alloc(64)]), 'image/tiff'],
    ['photo', Buffer.from('ffd8ffe000104a464946', 'hex'), 'image/jpeg'],
    ['fax.tif', Buffer.concat([Buffer.from('49492a00080000000000', 'hex'), Buffer.alloc(64)]), 'image/tiff'],
    ['call', Buffer.from('RIFF\u0010\u0000\u0000\u0000WAVEfmt ', 'latin1'), 'audio/wav'],
  ])('knows pictures and recordings: %s', async (filename, bytes, mediaType) => {
    expect(await look(bytes, filename)).toBe(mediaType);
  });

  it.each([
    ['an old letter', 'letter.doc', ole('WordDocument')],
    ['an animation', 'scan.gif', Buffer.from('GIF89a\u0001\u0000\u0001\u0000')],
    ['unknown bytes', 'data.txt', Buffer.from([1, 0, 2, 0, 3])],
  ])('refuses %s', async (_, filename, bytes) => {
    expect(await look(bytes, filename)).toBe('unsupported-type');
  });
});
