import { createPalette, duration, renderAnswer, renderFacts, wrap } from './print.js';
import { ANSWER } from './testing/fake-api.js';

const plain = createPalette(false);
const asked = { number: 1, question: 'What is my deductible?', answer: ANSWER, durationMs: 123 };

describe('renderAnswer', () => {
  it('shows the question, the answer, where each quote stands, and the time', () => {
    expect(renderAnswer({ ...asked, expected: ['$1,500'] }, plain, 80)).toBe(
      [
        '1. What is my deductible?',
        '   The deductible is $1,500 [1].',
        '   [1] Plan, page 3',
        '       “The deductible is $1,500.”',
        '   123 ms | by extractive | expected: $1,500',
        '',
      ].join('\n'),
    );
  });

  it('leaves the page out where a document has none', () => {
    const [citation] = ANSWER.citations;
    const answer = { ...ANSWER, citations: [{ ...citation!, page: null }] };
    expect(renderAnswer({ ...asked, answer }, plain, 80)).toContain('[1] Plan\n');
  });

  it('says that something is not in the documents', () => {
    const answer = { ...ANSWER, answer: '', not_in_documents: true, citations: [] };
    const text = renderAnswer({ ...asked, answer }, plain, 80);
    expect(text).toContain('This is not in the documents.');
    expect(text).not.toContain('[1]');
  });

  it('names a service level below full', () => {
    const answer = { ...ANSWER, service_level: 'degraded' };
    expect(renderAnswer({ ...asked, answer }, plain, 80)).toContain('service level degraded');
  });
});

describe('the palette', () => {
  it('marks text only where colours are wanted', () => {
    expect(createPalette(true).bold('x')).toBe('\u001b[1mx\u001b[0m');
    expect(plain.bold('x')).toBe('x');
  });
});

describe('wrap', () => {
  it('breaks between words and keeps line breaks', () => {
    expect(wrap('one two three\nfour', 8)).toEqual(['one two', 'three', 'four']);
  });

  it('leaves a word that is longer than the line whole', () => {
    expect(wrap('a incomprehensibilities b', 5)).toEqual(['a', 'incomprehensibilities', 'b']);
  });
});

describe('durations and facts', () => {
  it('are written in columns with a unit', () => {
    expect(duration(0.4)).toBe('0 ms');
    expect(duration(1_234)).toBe('1.23 s');
    expect(duration(72_000)).toBe('72.0 s');
    expect(renderFacts([['a', '1'], ['long', '2']])).toBe('  a     1\n  long  2\n'); // prettier-ignore
  });
});
