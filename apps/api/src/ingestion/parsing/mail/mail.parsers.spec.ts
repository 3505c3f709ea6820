import * as XLSX from '@e965/xlsx';
import { parseEml } from './eml.parser.js';
import { parseMbox } from './mbox.parser.js';
import { parseMsg } from './msg.parser.js';

const lines = (...parts: string[]) => Buffer.from(parts.join('\r\n'), 'latin1');
const HEAD = [
  'Received: from mx.example.com by mail.example.com;',
  '\tMon, 2 Mar 2026 09:00:01 +0000',
  'From: =?UTF-8?B?TcO8bGxlciwgQW5u?= <ann@example.com>',
  'To: claims@example.com, Bob <bob@example.com>',
  'Date: Mon, 2 Mar 2026 10:00:00 +0100',
  'Subject: Claim =?ISO-8859-1?Q?f=FCr?= X-ray',
  'MIME-Version: 1.0',
];
const textsOf = ({ blocks }: { blocks: { kind: string; text?: string }[] }) =>
  blocks.map((block) => block.text ?? block.kind);

describe('parseEml', () => {
  it('reads head and text, whatever encodings they are in', async () => {
    const mail = await parseEml(
      lines(
        ...HEAD,
        'Content-Type: text/plain; charset=windows-1252',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'I paid =80 80 for =',
        'an X-ray.',
        '',
        '> What did you pay?',
        '> And when?',
      ),
    );
    expect(mail.title).toBe('Claim für X-ray');
    expect(textsOf(mail)).toEqual([
      'Claim für X-ray',
      'From: Müller, Ann <ann@example.com>',
      'To: claims@example.com, Bob <bob@example.com>',
      'Date: Mon, 2 Mar 2026 10:00:00 +0100',
      'I paid € 80 for an X-ray.',
      'What did you pay? And when?',
      'Received: from mx.example.com by mail.example.com; Mon, 2 Mar 2026 09:00:01 +0000',
    ]);
    expect(mail.attachments).toEqual([]);
  });

  it('prefers the version with tables, and gives the files that are attached', async () => {
    const logo = Buffer.alloc(500, 1).toString('base64');
    const mail = await parseEml(
      lines(
        ...HEAD,
        'Content-Type: multipart/mixed; boundary=M',
        '',
        '--M',
        'Content-Type: multipart/alternative; boundary=A',
        '',
        '--A',
        'Content-Type: text/plain',
        '',
        'plain',
        '--A',
        'Content-Type: text/html',
        '',
        '<p>See</p><table><tr><th>Service</th><th>Paid</th></tr><tr><td>X-ray</td><td>$80</td></tr></table>',
        '--A--',
        '--M',
        'Content-Type: application/pdf; name="bill.pdf"',
        'Content-Disposition: attachment; filename="bill.pdf"',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from('%PDF-1.7').toString('base64'),
        '--M',
        'Content-Type: image/png',
        'Content-Disposition: inline; filename=logo.png',
        'Content-Transfer-Encoding: base64',
        '',
        logo,
        '--M',
        'Content-Type: message/rfc822',
        '',
        'Subject: Inner',
        '',
        'Inner text',
        '--M--',
      ),
    );
    expect(textsOf(mail).slice(4, 7)).toEqual(['Attachments: bill.pdf, attachment-2.eml', 'See', 'table']);
    expect(
      mail.attachments!.map(({ filename, bytes }) => [filename, Buffer.from(bytes).toString().trim()]),
    ).toEqual([
      ['bill.pdf', '%PDF-1.7'],
      ['attachment-2.eml', expect.stringContaining('Inner text')],
    ]);
  });

  it('ends with parts that are nested without end', async () => {
    const parts = Array.from({ length: 200 }, (_, i) => [
      `Content-Type: multipart/mixed; boundary=B${i}`,
      '',
      `--B${i}`,
    ]);
    await expect(parseEml(lines(...HEAD, ...parts.flat()))).rejects.toMatchObject({ code: 'too-complex' });
  });
});

describe('parseMbox', () => {
  it('reads mail after mail, with the lines that were marked', async () => {
    const mails = await parseMbox(
      lines(
        'From ann@example.com Mon Mar  2 10:00:00 2026',
        'Subject: One',
        'From: ann@example.com',
        '',
        'First',
        '',
        '>From here on it is covered.',
        '',
        'From bob@example.com Tue Mar  3 10:00:00 2026',
        'Subject: Two',
        '',
        'Second',
        '',
        'From 2025 on, prices rise.',
      ),
    );
    expect(textsOf(mails)).toEqual([
      'One',
      'From: ann@example.com',
      'First',
      'From here on it is covered.',
      'Two',
      'Second',
      'From 2025 on, prices rise.',
    ]);
  });

  it('refuses a mailbox without mails', async () => {
    await expect(parseMbox(Buffer.from('no mail here'))).rejects.toMatchObject({ code: 'no-text' });
  });
});

describe('parseMsg', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');

  /** A mail as Outlook saves it, with only what the test needs. */
  function msg(streams: Record<string, Buffer>): Buffer {
    const { CFB } = XLSX;
    const container = CFB.utils.cfb_new();
    for (const [path, content] of Object.entries(streams)) CFB.utils.cfb_add(container, path, content);
    return CFB.write(container, { type: 'buffer' }) as Buffer;
  }

  it('reads head, text and files', () => {
    const mail = parseMsg(
      msg({
        '/__properties_version1.0': Buffer.alloc(32),
        '/__substg1.0_0037001F': utf16('Claim für X-ray'),
        '/__substg1.0_0C1A001F': utf16('Ann Müller'),
        '/__substg1.0_5D01001F': utf16('ann@example.com'),
        '/__substg1.0_1000001F': utf16('I paid $80.\r\n'),
        '/__recip_version1.0_#00000000/__properties_version1.0': Buffer.alloc(8),
        '/__recip_version1.0_#00000000/__substg1.0_3001001F': utf16('Claims'),
        '/__recip_version1.0_#00000000/__substg1.0_39FE001F': utf16('claims@example.com'),
        '/__attach_version1.0_#00000000/__properties_version1.0': Buffer.alloc(8),
        '/__attach_version1.0_#00000000/__substg1.0_3707001F': utf16('bill.pdf'),
        '/__attach_version1.0_#00000000/__substg1.0_37010102': Buffer.from('%PDF-1.7'),
      }),
    );
    expect(textsOf(mail)).toEqual([
      'Claim für X-ray',
      'From: Ann Müller <ann@example.com>',
      'To: Claims <claims@example.com>',
      'Attachments: bill.pdf',
      'I paid $80.',
    ]);
    expect(mail.attachments).toEqual([{ filename: 'bill.pdf', bytes: expect.anything() }]);
    expect(Buffer.from(mail.attachments![0]!.bytes).toString()).toBe('%PDF-1.7');
  });

  it('refuses what is no container', () => {
    expect(() => parseMsg(Buffer.alloc(600))).toThrow(expect.objectContaining({ code: 'corrupt-file' }));
  });
});
