import { samplePlan } from '../spec-passages.js';
import { unitsOf } from '../units/units.js';
import { analyzeQuestion } from './question.js';

const units = unitsOf(samplePlan());
const analyze = (question: string) => analyzeQuestion(question, units);
const concepts = (question: string) => analyze(question).concepts.map(({ asked }) => asked);

describe('analyzeQuestion', () => {
  it.each([
    ['takes the longest phrase first', 'What is the out of pocket limit?', ['out of pocket limit']],
    ['bridges the words that a phrase leaves open', 'the most I could ever end up paying', ['most ~ pay']],
    ['leaves out words that only frame a question', 'How much do I have to pay for it?', ['pay']],
    ['corrects words that nobody knows', 'Do I need acupunture?', ['need', 'acupuncture']],
    [
      'keeps unknown words that resemble none',
      'Is dialysis covered for zebras?',
      ['dialysis', 'covered', 'zebras'],
    ],
    ['counts what is said twice once', 'Is the deductible my yearly deductible?', ['deductible', 'year']],
    ['leaves the words out that name the other network', 'a specialist outside my network', ['specialist']],
  ])('%s', (_, question, expected) => {
    expect(concepts(question)).toEqual(expected);
  });

  it('keeps only what the documents can state, as said first, then as a synonym, then in a broader term', () => {
    const [physio] = analyze('physio').concepts;
    expect(physio?.alternatives).toEqual([
      { stems: ['physic', 'therapi'], weight: 0.9 },
      { stems: ['rehabilit', 'servic'], weight: 0.6 },
      { stems: ['rehabilit'], weight: 0.6 },
      { stems: ['therapi'], weight: 0.6 },
    ]);
  });

  it('gives a topic more weight than everyday words, numbers and the case that is told before the question', () => {
    const salience = (question: string, word: string) =>
      analyze(question).concepts.find(({ asked }) => asked === word)?.salience;
    expect(salience('Is acupuncture good for 40?', 'acupuncture')).toBe(1);
    expect(salience('Is acupuncture good for 40?', 'good')).toBeLessThan(0.2);
    expect(salience('Is acupuncture good for 40?', '40')).toBeLessThan(0.5);
    expect(salience('Zebras bit me, is acupuncture covered?', 'zebras')).toBe(0.5);
    expect(salience('If zebras bite me, what do I pay?', 'zebras')).toBe(1);
  });

  it.each([
    ['out', 'What is an MRI out of network?'],
    ['out', 'My doctor isn’t in the network, what do I pay?'],
    ['out', 'non-participating hospital costs'],
    ['in', 'what do I pay in-network'],
    ['in', 'if I stay within my plan’s network'],
    [null, 'What do I pay for an MRI?'],
  ])('reads network "%s" from "%s"', (network, question) => {
    expect(analyze(question).network).toBe(network);
  });
});
