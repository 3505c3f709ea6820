import { extractAnswer } from './extract-answer.js';
import { benefit, samplePlan, SpecDocument } from './spec-passages.js';

const passages = samplePlan();
const ask = (question: string) => extractAnswer({ question, passages });
const quotes = (question: string) => ask(question).citations.map(({ quote }) => quote);

describe('extractAnswer', () => {
  it('quotes the cells of the row that answers, with row and column named before each', () => {
    expect(ask('How much is a visit to the family doctor?').text).toBe(
      'Primary care visit to treat an injury or illness — Network Provider: "$30 copay/visit" [1]\n' +
        'Primary care visit to treat an injury or illness — Out-of-Network Provider: "35% coinsurance" [2]',
    );
  });

  it('quotes the passages exactly, and says where in passage and answer each quote stands', () => {
    const questions = [
      'How much is the ER?',
      'Is acupuncture covered?',
      'What number do I call with questions?',
      'physio visits?',
    ];
    const answers = questions.map(ask);
    expect(answers.every(({ citations }) => citations.length > 0)).toBe(true);
    for (const { text, citations } of answers) {
      for (const { passageId, quote, sourceStart, sourceEnd, answerStart, answerEnd, marker } of citations) {
        expect(passages.find(({ id }) => id === passageId)?.text.slice(sourceStart, sourceEnd)).toBe(quote);
        expect(text.slice(answerStart, answerEnd)).toBe(quote);
        expect(text.slice(answerEnd)).toMatch(new RegExp(`^" \\[${marker}\\]`));
      }
    }
  });

  it('cites document, page and the box of the cell', () => {
    expect(ask('What is the deductible?').citations[0]).toMatchObject({
      marker: 1,
      documentId: 'plan',
      documentTitle: 'Plan',
      page: 1,
      box: { x: 0, y: 0, width: 1, height: 0.1 },
      quote: '$750 / individual or $1,500 / family',
    });
  });

  it.each([
    ['a synonym', 'How much would the ER cost?', ['$250 copay/visit', '$250 copay/visit']],
    [
      'what members call a deductible',
      'How much do I pay before the insurance kicks in?',
      ['$750 / individual or $1,500 / family'],
    ],
    ['a misspelt word', 'Do I need a referal for a speciallist?', ['No.']],
    ['the network that is asked for', 'What is a specialist outside my network?', ['35% coinsurance']],
    [
      'a clause of a cell for the network that is asked for',
      'What is the most I pay in a year out of network?',
      ['for out-of-network providers $6,000 individual'],
    ],
    [
      'the column of limits for a count',
      'How many physio sessions do I get?',
      ['40 visits/year. Includes physical therapy.'],
    ],
    [
      'the column of limits for how often',
      'How often can my daughter get new glasses?',
      ['Limited to one pair of glasses/year'],
    ],
    [
      'the column of limits for a condition',
      'What happens if I see a specialist without preauthorization?',
      ['Preauthorization is required. Without it benefits could be reduced by half.'],
    ],
    ['an exclusion from a list', 'Will you pay for a face lift?', ['Cosmetic surgery']],
    [
      'a telephone number',
      'What number do I call with questions?',
      ['For questions call member services at 1-800-555-0142.'],
    ],
    ['a word of the glossary', 'What is a rider?', ['Rider. Optional coverage with rules of its own.']],
    [
      'the usual case first where a group of rows fits',
      'What do I pay for a therapist out of network?',
      ['35% coinsurance'],
    ],
  ])('finds %s', (_, question, expected) => {
    expect(quotes(question)).toEqual(expected);
  });

  it('names the list that an item stands in', () => {
    expect(ask('Is infertility treatment covered?').text).toBe(
      'Services Your Plan Generally Does NOT Cover: "Infertility treatment" [1]',
    );
    expect(ask('Are hearing aids covered?').text).toBe('Other Covered Services: "Hearing aids" [1]');
  });

  it('names the group where the label alone would not tell what the figure is for', () => {
    expect(ask('What do I pay for a therapist out of network?').text).toMatch(
      /^If you need mental health services — Outpatient services — /,
    );
  });

  it('gives amounts and limits when asked whether something is covered', () => {
    expect(quotes('Is physiotherapy covered?')).toEqual([
      '15% coinsurance',
      '35% coinsurance',
      '40 visits/year. Includes physical therapy.',
    ]);
  });

  it.each([
    ['about something else', 'Is my house insured against flood?'],
    ['about a treatment that is not mentioned', 'What is the copay for dialysis?'],
    ['about an amount that a topic of the documents comes without', 'How much do hearing aids cost?'],
    [
      'about a time that a topic of the documents comes without',
      'How many days do I have to appeal a denied claim?',
    ],
    ['about a count that a topic of the documents comes without', 'How many acupuncture sessions do I get?'],
  ])('says that the documents do not answer a question %s', (_, question) => {
    expect(ask(question)).toMatchObject({
      notInDocuments: true,
      citations: [],
      text: 'I did not find the answer to this in your documents.',
    });
  });

  it('shows the three closest quotes with their pages, and says so, when it is not sure', () => {
    const { text, citations, notInDocuments } = extractAnswer({
      question: 'What are the services?',
      passages,
      abstainBelow: 0,
    });
    expect(notInDocuments).toBe(false);
    expect(citations).toHaveLength(3);
    expect(text).toMatch(/^I am not sure that your documents answer this\..*\nPage \d/);
  });

  it('is not sure of a question that names no topic', () => {
    expect(ask('How much is it all together?').grounding).toBeLessThan(0.5);
  });

  it('falls silent below the grounding that is asked for', () => {
    expect(ask('How much is the ER?').notInDocuments).toBe(false);
    expect(extractAnswer({ question: 'How much is the ER?', passages, abstainBelow: 1 }).notInDocuments).toBe(
      true,
    );
  });

  it.each([[''], ['?'], ['   '], ['how much is the'], ['\u0000\ud800']])(
    'finds nothing for "%s"',
    (question) => {
      expect(ask(question)).toMatchObject({ notInDocuments: true, grounding: 0 });
    },
  );

  it('finds nothing without passages', () => {
    expect(extractAnswer({ question: 'How much is the ER?', passages: [] })).toMatchObject({
      notInDocuments: true,
      grounding: 0,
    });
  });

  it('answers the same whatever the order of the passages', () => {
    for (const question of ['How much is the ER?', 'What is a rider?', 'Is infertility treatment covered?'])
      expect(extractAnswer({ question, passages: [...passages].reverse() })).toEqual(ask(question));
  });

  it('prefers what holds to what an example makes up, unless the example is asked for', () => {
    expect(quotes('What is the deductible for an individual?')).toEqual([
      '$750 / individual or $1,500 / family',
    ]);
    expect(quotes('How much does Pia pay?')).toEqual(['Pia pays the deductible of $750 and stops there.']);
  });

  it('answers a question of a FAQ with what stands under it', () => {
    const faq = new SpecDocument()
      .prose('No. You may see any doctor. Some ask for a referral.', {
        headingPath: ['Questions', 'Do I need a gatekeeper?'],
      })
      .prose('We were founded in Ohio.', { headingPath: ['Questions', 'Background'] });
    const answer = extractAnswer({ question: 'Do I need a gatekeeper?', passages: faq.passages });
    expect(answer.text).toBe('Do I need a gatekeeper?: "No. You may see any doctor." [1]');
  });

  it('takes cells of one row from the passages that it is spread over', () => {
    const long = new SpecDocument()
      .row({ label: 'Will you pay less in the network?', cells: [['Answers', 'Yes. See the list.']] })
      .row({
        label: 'Will you pay less in the network?',
        cells: [['Why This Matters', 'You pay the most outside.']],
      });
    const { citations } = extractAnswer({
      question: 'Do I pay less if I stay in the network?',
      passages: long.passages,
    });
    expect(citations.map(({ quote, passageId }) => [quote, passageId])).toEqual([
      ['Yes. See the list.', 'plan-0'],
    ]);
  });

  it('quotes one sentence of a long cell', () => {
    const conditions = `${'The plan lists many rules that do not matter here at all. '.repeat(4)}A second pair is paid only if a doctor asks for it.`;
    const { passages: rows } = new SpecDocument()
      .row(benefit('Glasses', '$10', '$20', conditions))
      .row(benefit('Hearing test', '$5', '$5'));
    const { citations } = extractAnswer({
      question: 'What if I need a second pair of glasses?',
      passages: rows,
    });
    expect(citations.map(({ quote }) => quote)).toEqual([
      'A second pair is paid only if a doctor asks for it.',
    ]);
  });
});
