import { zipFile } from '../../../../../test/support/zip-file.js';
import { Attachments } from './attachments.js';

const names = ({ found }: Attachments) => found.map(({ filename }) => filename);

describe('Attachments', () => {
  it('unpacks archives among the files, without their folders and hidden files', () => {
    const attachments = new Attachments();
    attachments.add('bill.pdf', Buffer.from('%PDF'));
    attachments.add(
      'all.zip',
      zipFile({ 'claims/letter.txt': 'Dear', '__MACOSX/x': 'y', '.DS_Store': 'z', 'claims/': '' }),
    );
    expect(names(attachments)).toEqual(['bill.pdf', 'letter.txt']);
    expect(attachments.warnings).toEqual([]);
  });

  it('takes no office file apart, and leaves an archive in an archive as it is', () => {
    const attachments = new Attachments();
    attachments.add('letter.docx', zipFile({ 'word/document.xml': '<w/>' }));
    attachments.add('all.zip', zipFile({ 'inner.zip': zipFile({ a: 'x' }) }));
    expect(names(attachments)).toEqual(['letter.docx', 'inner.zip']);
  });

  it('skips a bomb with a warning, and goes on', () => {
    const attachments = new Attachments();
    attachments.add('bomb.zip', zipFile([{ name: 'a', content: Buffer.alloc(8_000_000) }]));
    attachments.add('bill.pdf', Buffer.from('%PDF'));
    expect(names(attachments)).toEqual(['bill.pdf']);
    expect(attachments.warnings).toEqual([{ code: 'attachment-skipped' }]);
  });

  it('takes as many files and bytes as may cross the pipe', () => {
    const many = new Attachments();
    for (let i = 0; i < 103; i += 1) many.add(`${i}.txt`, Buffer.from('x'));
    expect([many.found.length, many.warnings.length]).toEqual([100, 3]);
    const large = new Attachments();
    large.add('large.bin', Buffer.alloc(40 * 1_048_576));
    large.add('larger.bin', Buffer.alloc(9 * 1_048_576));
    large.add('small.bin', Buffer.alloc(1_048_576));
    expect(names(large)).toEqual(['large.bin', 'small.bin']);
  });
});
