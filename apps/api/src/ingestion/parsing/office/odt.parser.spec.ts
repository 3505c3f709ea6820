import { createCipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { zipFile } from '../../../../../../test/support/zip-file.js';
import { parseOdt } from './odt.parser.js';

const content = (body: string) =>
  `<office:document-content><office:automatic-styles><style:style style:name="P1" style:parent-style-name="Title"/></office:automatic-styles><office:body><office:text>${body}</office:text></office:body></office:document-content>`;
const odt = (body: string, parts: Record<string, string | Uint8Array> = {}) =>
  zipFile({ mimetype: 'application/vnd.oasis.opendocument.text', 'content.xml': content(body), ...parts });

describe('parseOdt', () => {
  it('reads titles, headings, lists, notes and comments', () => {
    const { blocks } = parseOdt(
      odt(
        '<text:p text:style-name="P1">My plan</text:p><text:h text:outline-level="2">Costs</text:h>' +
          '<text:p>You pay<text:s text:c="2"/>$30<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>In-network</text:p></text:note-body></text:note> a<text:line-break/>visit.<office:annotation><dc:creator>Ann</dc:creator><text:p>Check this</text:p></office:annotation></text:p>' +
          '<text:list><text:list-item><text:p>One</text:p><text:p>more of one</text:p><text:list><text:list-item><text:p>Inner</text:p></text:list-item></text:list></text:list-item></text:list>',
      ),
    );
    expect(blocks).toMatchObject([
      { kind: 'heading', level: 1, text: 'My plan' },
      { kind: 'heading', level: 2, text: 'Costs' },
      { kind: 'paragraph', text: 'You pay $30 a visit.' },
      { kind: 'paragraph', text: 'In-network' },
      { kind: 'paragraph', text: 'Check this' },
      { kind: 'list-item', text: 'One' },
      { kind: 'paragraph', text: 'more of one' },
      { kind: 'list-item', text: 'Inner' },
    ]);
  });

  it('leaves out deleted text and lists of headings', () => {
    const { blocks } = parseOdt(
      odt(
        '<text:tracked-changes><text:p>old</text:p></text:tracked-changes><text:table-of-content><text:p>Costs 3</text:p></text:table-of-content><text:p>new</text:p>',
      ),
    );
    expect(blocks).toMatchObject([{ text: 'new' }]);
  });

  it('reads tables with header rows, spans and repeated cells', () => {
    const cell = (text: string, attributes = '') =>
      `<table:table-cell ${attributes}><text:p>${text}</text:p></table:table-cell>`;
    const { blocks } = parseOdt(
      odt(
        `<table:table><table:table-header-rows><table:table-row>${cell('Service')}${cell('In')}${cell('Out')}</table:table-row></table:table-header-rows>` +
          `<table:table-row>${cell('Visit')}${cell('$30', 'table:number-columns-repeated="2"')}</table:table-row>` +
          `<table:table-row>${cell('X-ray')}${cell('No', 'table:number-columns-spanned="2"')}<table:covered-table-cell/></table:table-row></table:table>`,
      ),
    );
    expect(blocks).toMatchObject([
      {
        kind: 'table',
        rows: [
          {
            label: 'Visit',
            cells: [
              { header: 'In', text: '$30' },
              { header: 'Out', text: '$30' },
            ],
          },
          { label: 'X-ray', cells: [{ text: 'No' }, { text: 'No' }] },
        ],
      },
    ]);
  });

  it('reads text boxes, and offers pictures', () => {
    const picture = Buffer.alloc(200);
    picture.write('89504e470d0a1a0a0000000d4948445200000200000001ff', 0, 'hex');
    const { blocks, pictures, title } = parseOdt(
      odt(
        '<text:p>Before<draw:frame><draw:text-box><text:p>Boxed</text:p></draw:text-box></draw:frame></text:p><text:p>See<draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame></text:p>',
        { 'Pictures/a.png': picture, 'meta.xml': '<office:meta><dc:title>Plan</dc:title></office:meta>' },
      ),
    );
    expect(title).toBe('Plan');
    expect(blocks.map((block) => block.kind !== 'table' && block.text)).toEqual(['Before', 'Boxed', 'See']);
    expect(pictures).toMatchObject([{ after: 2 }]);
  });

  it('refuses a file without text, and one without content', () => {
    expect(() => parseOdt(odt(''))).toThrow(expect.objectContaining({ code: 'no-text' }));
    expect(() => parseOdt(zipFile({ mimetype: 'x' }))).toThrow(
      expect.objectContaining({ code: 'corrupt-file' }),
    );
  });
});

describe('an encrypted ODT', () => {
  /** As LibreOffice writes it (ODF 1.2, AES-256 in CBC). */
  function encrypted(body: string, password: string): Buffer {
    const salt = Buffer.alloc(16, 1);
    const vector = Buffer.alloc(16, 2);
    const packed = deflateRawSync(content(body));
    const startKey = createHash('sha256').update(password).digest();
    const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(startKey, salt, 1_000, 32, 'sha1'), vector);
    const checksum = createHash('sha256').update(packed.subarray(0, 1_024)).digest('base64');
    const lock = `<manifest:encryption-data manifest:checksum-type="urn:oasis#sha256-1k" manifest:checksum="${checksum}"><manifest:algorithm manifest:algorithm-name="http://www.w3.org/2001/04/xmlenc#aes256-cbc" manifest:initialisation-vector="${vector.toString('base64')}"/><manifest:key-derivation manifest:key-derivation-name="PBKDF2" manifest:key-size="32" manifest:iteration-count="1000" manifest:salt="${salt.toString('base64')}"/><manifest:start-key-generation manifest:start-key-generation-name="http://www.w3.org/2000/09/xmldsig#sha256" manifest:key-size="32"/></manifest:encryption-data>`;
    return zipFile([
      { name: 'content.xml', content: Buffer.concat([cipher.update(packed), cipher.final()]), stored: true },
      {
        name: 'META-INF/manifest.xml',
        content: `<manifest:manifest><manifest:file-entry manifest:full-path="content.xml">${lock}</manifest:file-entry></manifest:manifest>`,
      },
    ]);
  }

  it('is opened with its password only', () => {
    const bytes = encrypted('<text:p>Secret plan</text:p>', 'open');
    expect(parseOdt(bytes, { password: 'open' }).blocks).toMatchObject([{ text: 'Secret plan' }]);
    expect(() => parseOdt(bytes)).toThrow(expect.objectContaining({ code: 'password-protected' }));
    expect(() => parseOdt(bytes, { password: 'shut' })).toThrow(
      expect.objectContaining({ code: 'wrong-password' }),
    );
  });
});
