import { zipFile } from '../../../../../../test/support/zip-file.js';
import { parseEpub } from './epub.parser.js';

const page = (title: string, body: string) =>
  `<?xml version="1.0"?><html><head><title>${title}</title></head><body>${body}</body></html>`;

function book(parts: Record<string, string>, extra = ''): Buffer {
  const items = Object.keys(parts)
    .map((name, i) => `<item id="i${i}" href="${encodeURI(name)}" media-type="application/xhtml+xml"/>`)
    .join('');
  const spine = Object.keys(parts)
    .map((_, i) => `<itemref idref="i${i}"/>`)
    .join('');
  return zipFile([
    { name: 'mimetype', content: 'application/epub+zip', stored: true },
    {
      name: 'META-INF/container.xml',
      content: '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
    },
    {
      name: 'OPS/book.opf',
      content: `<package><metadata><dc:title>The plan</dc:title></metadata><manifest>${items}<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest><spine>${spine}</spine></package>`,
    },
    {
      name: 'OPS/toc.ncx',
      content:
        '<ncx><navMap><navPoint><navLabel><text>Costs of care</text></navLabel><content src="b%20two.html#x"/></navPoint></navMap></ncx>',
    },
    ...Object.entries(parts).map(([name, content]) => ({ name: `OPS/${name}`, content })),
    ...(extra ? [{ name: 'META-INF/encryption.xml', content: extra }] : []),
  ]);
}

describe('parseEpub', () => {
  it('reads chapters in their order, each under a heading', () => {
    const { title, blocks } = parseEpub(
      book({
        'z.html': page('The plan', '<h1>Welcome</h1><p>Hello</p>'),
        'b two.html': page('The plan', '<p>You pay $30.</p>'),
        'a.html': page('Limits', '<p>One visit.</p>'),
      }),
    );
    expect(title).toBe('The plan');
    expect(blocks).toMatchObject([
      { kind: 'heading', text: 'Welcome' },
      { text: 'Hello' },
      { kind: 'heading', text: 'Costs of care' },
      { text: 'You pay $30.' },
      { kind: 'heading', text: 'Limits' },
      { text: 'One visit.' },
    ]);
  });

  it('leaves out the table of contents', () => {
    const toc = page(
      'Contents',
      '<h1>Contents</h1><p><a href="a.html">A</a></p><p><a href="b.html">B</a></p>',
    );
    expect(parseEpub(book({ 'toc.html': toc, 'a.html': page('A', '<h1>A</h1>') })).blocks).toMatchObject([
      { text: 'A' },
    ]);
  });

  it('refuses a book whose chapters are encrypted, and one without text', () => {
    const locked = '<encryption><CipherReference URI="OPS/a.html"/></encryption>';
    expect(() => parseEpub(book({ 'a.html': page('A', '<p>x</p>') }, locked))).toThrow(
      expect.objectContaining({ code: 'password-protected' }),
    );
    expect(() => parseEpub(book({}))).toThrow(expect.objectContaining({ code: 'no-text' }));
  });
});
