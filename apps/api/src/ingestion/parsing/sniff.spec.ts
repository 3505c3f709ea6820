import { Document, Packer, Paragraph } from 'docx';
import { sniff } from './sniff.js';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const docx = () => Packer.toBuffer(new Document({ sections: [{ children: [new Paragraph('Hello')] }] }));
const ole = (text: string) =>
  Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600), Buffer.from(text, 'utf16le')]);

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

  it('names what is missing or protected', async () => {
    expect(await look('', 'policy.pdf')).toBe('empty-file');
    expect(await look(ole('EncryptedPackage'), 'policy.docx')).toBe('password-protected');
    expect(await look('PK\u0003\u0004 and nothing else', 'policy.docx')).toBe('corrupt-file');
  });

  it.each([
    ['an old Office file', 'letter.doc', ole('WordDocument')],
    ['an image', 'scan.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['rich text', 'letter.rtf', Buffer.from('{\\rtf1 Hello}')],
    ['subtitles', 'film.srt', Buffer.from('1\n00:00:01 --> 00:00:02\nHello')],
    ['unknown bytes', 'data.txt', Buffer.from([1, 0, 2, 0, 3])],
  ])('refuses %s', async (_, filename, bytes) => {
    expect(await look(bytes, filename)).toBe('unsupported-type');
  });
});
