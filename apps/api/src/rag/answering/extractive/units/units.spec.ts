import { SpecDocument } from '../spec-passages.js';
import { unitsOf, type SentenceUnit } from './units.js';

const sentences = (text: string, headingPath: string[] = []) =>
  unitsOf(new SpecDocument().prose(text, { headingPath }).passages).map((unit) => {
    const { span, lead } = unit as SentenceUnit;
    return [lead, unit.passage.text.slice(span.start, span.end)];
  });

describe('unitsOf', () => {
  it('makes one unit of each sentence', () => {
    expect(sentences('You pay first. We pay later.')).toEqual([
      ['', 'You pay first.'],
      ['', 'We pay later.'],
    ]);
  });

  it('gives list items what introduces them, and leaves their bullets out', () => {
    expect(sentences('We do not pay for:\n• Tattoos\n• Teeth whitening')).toEqual([
      ['', 'We do not pay for:'],
      ['We do not pay for:', 'Tattoos'],
      ['We do not pay for:', 'Teeth whitening'],
    ]);
  });

  it('takes no whole sentence for the introduction of a list', () => {
    expect(sentences('Care is paid worldwide.\n• Keep the bill')[1]).toEqual(['', 'Keep the bill']);
  });

  it('gives the sentences of a paragraph its run-in heading', () => {
    expect(sentences('Your rights: You may appeal. Ask us how.')[1]).toEqual(['Your rights:', 'Ask us how.']);
  });

  it.each([
    ['a question with its answer', 'Is it enough? Yes.'],
    ['a short answer with what it means', 'No. You need no referral.'],
    ['a term with its meaning', 'Step therapy. A proven drug is tried first.'],
    ['a line with the figure below it', 'Total cost\n\n$12,700'],
  ])('keeps %s together', (_, text) => {
    expect(sentences(text)).toEqual([['', text]]);
  });

  it('leaves out lines that only name what follows', () => {
    expect(sentences('Therapy and rehabilitation\n\nYou pay $30.')).toEqual([['', 'You pay $30.']]);
  });

  it('leaves out tables of contents', () => {
    expect(sentences('When coverage begins 4', ['Contents'])).toEqual([]);
  });

  it('knows examples and glossaries by their headings', () => {
    const units = unitsOf(
      new SpecDocument()
        .prose('Pia pays $3.', { headingPath: ['Coverage examples'] })
        .prose('Copay. A fixed amount.', { headingPath: ['Glossary'] }).passages,
    );
    expect(units.map(({ isExample, isGlossary }) => [isExample, isGlossary])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('joins a row that is spread over passages, but not two rows of one label', () => {
    const spread = new SpecDocument()
      .row({ label: 'Referral?', cells: [['Answers', 'Yes.']] })
      .row({ label: 'Referral?', cells: [['Why', 'Because.']] })
      .row({ label: 'Referral?', cells: [['Why', 'And so on.']] });
    const twice = new SpecDocument()
      .row({
        label: 'Family',
        cells: [
          ['Medical', '$1'],
          ['Dental', '$2'],
        ],
      })
      .row({
        label: 'Family',
        cells: [
          ['Medical', '$3'],
          ['Dental', '$4'],
        ],
      });
    const cells = (document: SpecDocument) =>
      unitsOf(document.passages).map((unit) =>
        unit.kind === 'row' ? unit.cells.map(({ text }) => text) : [],
      );
    expect(cells(spread)).toEqual([['Yes.', 'Because.', 'And so on.']]);
    expect(cells(twice)).toEqual([
      ['$1', '$2'],
      ['$3', '$4'],
    ]);
  });
});
