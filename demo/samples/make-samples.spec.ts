import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { samples } from './make-samples.js';
import { withFixedTimes } from './reproducible-zip.js';

const committed = (name: string) => readFile(join(import.meta.dirname, name));

/** A PDF with its streams inflated and without byte offsets, because Deflate differs between builds of zlib. */
function comparable(pdf: Buffer): string {
  const text = pdf.toString('latin1');
  const body = text.slice(0, text.lastIndexOf('\nxref'));
  return body
    .replaceAll(/stream\n(.*?)\nendstream/gs, (whole, stream: string) =>
      stream.startsWith('x') ? inflateSync(Buffer.from(stream, 'latin1')).toString('latin1') : whole,
    )
    .replaceAll(/\/Length \d+/g, '');
}

describe('the sample documents', () => {
  it.each(['claim-letter.docx', 'faq.html'])('makes %s again byte for byte', async (name) => {
    expect((await samples[name]!()).equals(await committed(name))).toBe(true);
  });

  it('makes the booklet again with the same pages, structure and content', async () => {
    const again = comparable(await samples['benefits-booklet.pdf']!());
    expect(again === comparable(await committed('benefits-booklet.pdf'))).toBe(true);
  });

  it('has a booklet of more than twenty pages whose tables, lists and headings are tagged', async () => {
    const booklet = comparable(await committed('benefits-booklet.pdf'));
    const count = (pattern: RegExp) => (booklet.match(pattern) ?? []).length;
    expect(count(/\/Type \/Page\n/g)).toBeGreaterThan(20);
    expect(count(/\/S \/Table\n/g)).toBeGreaterThan(20);
    expect(count(/\/S \/TH\n/g)).toBeGreaterThan(100);
    expect(count(/\/S \/H1\n/g)).toBeGreaterThan(15);
    expect(count(/\/S \/LI\n/g)).toBeGreaterThan(50);
  });
});

describe('withFixedTimes', () => {
  it('refuses what is not a ZIP archive', () => {
    expect(() => withFixedTimes(Buffer.alloc(100))).toThrow('Not a ZIP archive');
  });

  it('does not change an archive whose times are fixed already', async () => {
    const letter = await committed('claim-letter.docx');
    expect(withFixedTimes(letter).equals(letter)).toBe(true);
  });
});
