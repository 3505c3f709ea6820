import { parseText } from './text.parser.js';

const outline = (text: string) =>
  parseText(Buffer.from(text)).blocks.map((block) =>
    block.kind === 'table' ? 'table' : `${block.kind}${block.level ?? ''}: ${block.text}`,
  );

describe('parseText', () => {
  it('joins the lines between empty ones', () => {
    expect(outline('One line\r\nand another.\r\n\r\nNext paragraph.\n')).toEqual([
      'paragraph: One line and another.',
      'paragraph: Next paragraph.',
    ]);
  });

  it('takes underlined, numbered and capital lines for headings', () => {
    expect(
      outline(
        'Plan\n====\nText.\n\n2.1 Limits\n\nMore text.\n\nEXCLUSIONS\nWe do not pay.\n\nSECTION 4\n\nEnd.',
      ),
    ).toEqual([
      'heading1: Plan',
      'paragraph: Text.',
      'heading3: 2.1 Limits',
      'paragraph: More text.',
      'heading2: EXCLUSIONS',
      'paragraph: We do not pay.',
      'heading2: SECTION 4',
      'paragraph: End.',
    ]);
  });

  it('does not take a sentence with a number in front for a heading', () => {
    expect(outline('3 visits are covered each year.')).toEqual([
      'paragraph: 3 visits are covered each year.',
    ]);
  });

  it('keeps items apart, with the lines that belong to them', () => {
    expect(outline('Not covered:\n- travel\n  abroad\n* cosmetics\na) anything else')).toEqual([
      'paragraph: Not covered:',
      'list-item: travel abroad',
      'list-item: cosmetics',
      'list-item: a) anything else',
    ]);
  });

  it('refuses a file of white space', () => {
    expect(() => outline(' \n\n ')).toThrow(expect.objectContaining({ code: 'no-text' }));
  });
});
