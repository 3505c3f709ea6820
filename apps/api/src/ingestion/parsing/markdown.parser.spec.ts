import { parseMarkdown } from './markdown.parser.js';

function outline(markdown: string): string[] {
  return parseMarkdown(Buffer.from(markdown)).blocks.flatMap((block) =>
    block.kind === 'table'
      ? block.rows.map(({ label, cells }) =>
          [label, ...cells.map(({ header, text }) => `${header}: ${text}`)].join(' | '),
        )
      : [`${block.kind}${block.level ?? ''}: ${block.text}`],
  );
}

describe('parseMarkdown', () => {
  it('reads headings of both kinds, paragraphs, lists, quotes and code', () => {
    const markdown = [
      '---\nauthor: nobody\n---\n# Plan #\n\nTwo lines\nof one paragraph\n\nSection\n-------\n',
      '- one\n- two\n  goes on\n\n1. first\n2) second\n\n> quoted\n> text\n\n```\ncode {}\n```\n\n***\n\n## ',
    ].join('');
    expect(outline(markdown)).toEqual([
      'heading1: Plan',
      'paragraph: Two lines of one paragraph',
      'heading2: Section',
      'list-item: one',
      'list-item: two goes on',
      'list-item: 1. first',
      'list-item: 2) second',
      'paragraph: quoted text',
      'paragraph: code {}',
    ]);
  });

  it('reads pipe tables, with and without outer pipes', () => {
    expect(
      outline('| Service | You pay |\n|:---|---:|\n| X-ray | $10 |\n| A \\| B | **$20** |\n\nAfter'),
    ).toEqual(['X-ray | You pay: $10', 'A | B | You pay: $20', 'paragraph: After']);
    expect(outline('Service | You pay\n--- | ---\nX-ray | $10')).toEqual(['X-ray | You pay: $10']);
  });

  it('keeps the words of a table with a single column', () => {
    expect(outline('| Service |\n|---|\n| X-ray |')).toEqual(['paragraph: Service', 'paragraph: X-ray']);
  });

  it('shows what a reader of the rendered page sees', () => {
    expect(
      outline(
        'See [the *plan*](http://x.example/a_b) and ![a logo](l.png), `code`, **bold**, snake_case, 2 * 3 &amp; \\*this\\* <b>tag</b>',
      ),
    ).toEqual(['paragraph: See the plan and a logo, code, bold, snake_case, 2 * 3 & *this* tag']);
  });

  it('takes the first title for the title of the document', () => {
    expect(parseMarkdown(Buffer.from('Intro\n\n# Plan')).title).toBe('Plan');
  });

  it('refuses a file without text', () => {
    expect(() => outline('<!-- nothing -->\n\n---\n')).toThrow(expect.objectContaining({ code: 'no-text' }));
  });
});
