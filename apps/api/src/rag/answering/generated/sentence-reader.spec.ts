import { SentenceReader, type WrittenSentence } from './sentence-reader.js';

function read(...deltas: string[]): WrittenSentence[] {
  const reader = new SentenceReader();
  return [...deltas.flatMap((delta) => reader.push(delta)), ...reader.finish()];
}
const texts = (text: string) => read(text).map((sentence) => sentence.text);

const ANSWER = `# Costs

Yes. A visit costs "$250 copay" [1]. [2] See e.g. Dr. Lee.
You pay:
- $20 for primary care [1]
2. 40% coinsurance, i.e. a share [2][3] Then nothing.

> Quoted 【1】 end`;

describe('SentenceReader', () => {
  it('cuts at sentences and lines, and leaves abbreviations whole', () => {
    expect(texts(ANSWER)).toEqual([
      'Costs',
      'Yes.',
      'A visit costs "$250 copay" [1]. [2]',
      'See e.g. Dr. Lee.',
      'You pay:',
      '$20 for primary care [1]',
      '40% coinsurance, i.e. a share [2][3] Then nothing.',
      'Quoted 【1】 end',
    ]);
  });

  it('knows the signs that lines begin with from their text', () => {
    expect(read('# Costs\n1. One\n  - Two\n> - Three').map(({ sign }) => sign)).toEqual([
      '# ',
      '1. ',
      '- ',
      '> - ',
    ]);
  });

  it('loses nothing', () => {
    expect(
      read(ANSWER)
        .map(({ lead, sign, text }) => lead + sign + text)
        .join(''),
    ).toBe(ANSWER);
  });

  it('reads the same however the text is cut into deltas', () => {
    const whole = read(ANSWER);
    expect(read(...ANSWER)).toEqual(whole);
    for (let cut = 0; cut <= ANSWER.length; cut++)
      expect(read(ANSWER.slice(0, cut), ANSWER.slice(cut))).toEqual(whole);
  });

  it('gives a sentence out as soon as nothing can change it', () => {
    const reader = new SentenceReader();
    expect(reader.push('You pay $5')).toEqual([]);
    expect(reader.push('. [')).toEqual([]);
    expect(reader.push('1] ')).toEqual([]);
    expect(reader.push('Then')).toEqual([{ lead: '', sign: '', text: 'You pay $5. [1]' }]);
    expect(reader.push(' 20%.\n')).toEqual([{ lead: ' ', sign: '', text: 'Then 20%.' }]);
  });

  it('has nothing to give for no text', () => {
    expect(read('')).toEqual([]);
    expect(read(' \n ', '\n- ')).toEqual([]);
  });
});
