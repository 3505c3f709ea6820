import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import mammoth from 'mammoth';
import { sampleQuestions, unanswerableQuestion } from './questions.js';
import { samples } from './samples/make-samples.js';

const file = (name: string) => join(import.meta.dirname, 'samples', name);

describe('the questions of the demonstration', () => {
  it('are five and one that has no answer', () => {
    expect(sampleQuestions).toHaveLength(5);
    expect(unanswerableQuestion.endsWith('?')).toBe(true);
  });

  it('name sample documents that exist', () => {
    for (const { sources } of sampleQuestions) {
      for (const source of sources) expect(Object.keys(samples)).toContain(source);
    }
  });

  it('have their answer in the letter and in the page of questions', async () => {
    const texts: Record<string, string> = {
      'claim-letter.docx': (await mammoth.extractRawText({ path: file('claim-letter.docx') })).value,
      'faq.html': await readFile(file('faq.html'), 'utf8'),
    };
    for (const { expected, sources } of sampleQuestions) {
      for (const source of sources.filter((name) => texts[name])) {
        for (const words of expected) expect(texts[source]).toContain(words);
      }
    }
  });

  it('ask for something that no sample mentions', async () => {
    const { value } = await mammoth.extractRawText({ path: file('claim-letter.docx') });
    const faq = await readFile(file('faq.html'), 'utf8');
    expect(`${value} ${faq}`).not.toMatch(/flood/i);
  });
});
