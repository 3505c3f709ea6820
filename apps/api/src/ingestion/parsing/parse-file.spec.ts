import { mediaTypeOf } from './media-types.js';
import { parseFile } from './parse-file.js';

describe('parseFile', () => {
  it.each([
    ['html', '<h1>Plan</h1>'],
    ['markdown', '# Plan'],
    ['text', 'PLAN\n\n'],
  ] as const)('reads %s by its media type', async (format, text) => {
    const document = await parseFile(Buffer.from(text), mediaTypeOf(format));
    expect(document).toMatchObject({ format, blocks: [{ kind: 'heading' }] });
  });

  it.each(['pdf', 'docx'] as const)('tells the parser of %s what it cannot read', async (format) => {
    await expect(parseFile(Buffer.from('nonsense'), mediaTypeOf(format))).rejects.toMatchObject({
      code: 'corrupt-file',
    });
  });

  it('reads a file by its path', async () => {
    expect((await parseFile('demo/samples/faq.html', 'text/html')).blocks.length).toBeGreaterThan(10);
  });

  it('refuses other types', async () => {
    await expect(parseFile(Buffer.from('x'), 'image/png')).rejects.toMatchObject({
      code: 'unsupported-type',
    });
  });
});
