import { chooseCells } from './cells.js';
import { weighConcepts } from './matching.js';
import { analyzeQuestion } from './question/question.js';
import { benefit, SpecDocument } from './spec-passages.js';
import { unitsOf, type RowUnit } from './units/units.js';

type Row = Parameters<SpecDocument['row']>[0];

function choose(question: string, row: Row): string[] {
  const units = unitsOf(new SpecDocument().row(row).row(benefit('Other', '$1', '$2')).passages);
  const asked = analyzeQuestion(question, units);
  return chooseCells(asked, weighConcepts(asked, units), units[0] as RowUnit).map(({ cell, span }) =>
    cell.passage.text.slice(span.start, span.end),
  );
}

describe('chooseCells', () => {
  const mri = benefit('MRI', '$50 copay', '40% coinsurance', 'Authorization is required');

  it('gives both sides of the network unless one is asked for', () => {
    expect(choose('How much is an MRI?', mri)).toEqual(['$50 copay', '40% coinsurance']);
    expect(choose('How much is an MRI in network?', mri)).toEqual(['$50 copay']);
    expect(choose('How much is an MRI out of network?', mri)).toEqual(['40% coinsurance']);
  });

  it('adds a limit that states an amount', () => {
    const aids = benefit('Hearing aids', '20%', '40%', '$1,500 per ear');
    expect(choose('How much are hearing aids?', aids)).toEqual(['20%', '40%', '$1,500 per ear']);
  });

  it('takes the column by the words that the label does not say', () => {
    const tiers: Row = {
      label: 'Tier 1: generic',
      cells: [
        ['Retail, 30 days', '$10'],
        ['Mail order, 90 days', '$25'],
        ['Deductible', 'None'],
      ],
    };
    expect(choose('generic drugs by mail order', tiers)).toEqual(['$25']);
    expect(choose('How much is a generic?', tiers)).toEqual(['$10', '$25']);
  });

  it('tells what the member pays from what the plan pays', () => {
    const crown: Row = {
      label: 'Crowns',
      cells: [
        ['Plan pays', '60%'],
        ['You pay', '40%'],
      ],
    };
    expect(choose('How much do I pay for a crown?', crown)).toEqual(['40%']);
    expect(choose('How much of a crown does the plan pay?', crown)).toEqual(['60%']);
  });

  it('takes the explanation only when one is asked for', () => {
    const deductible: Row = {
      label: 'Deductible',
      cells: [
        ['Answers', '$500'],
        ['Why This Matters', 'A deductible is what you pay first.'],
      ],
    };
    expect(choose('What is my deductible?', deductible)).toEqual(['$500']);
    expect(choose('What is a deductible?', deductible)).toEqual(['A deductible is what you pay first.']);
  });

  it('chooses nothing from a row without cells', () => {
    expect(choose('What is an MRI?', { label: 'MRI', cells: [] })).toEqual([]);
  });
});
