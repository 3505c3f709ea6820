import { bestSentence, numbersHold, resembles, weightOf } from './grounding.js';

describe('numbersHold', () => {
  it.each([
    ['You pay $250.', 'Emergency room: $250 copay'],
    ['The limit is 1000.', 'The limit is $1,000.'],
    ['The limit is $1,000.00.', 'The limit is $1000'],
    ['It is 1.000,50 €.', 'It is 1000.50'],
    ['Up to 20 visits.', 'limited to twenty visits'],
    ['From 1 May 2026.', 'effective 05/01/2026'],
    ['It is covered.', 'no number at all'],
  ])('holds for "%s" with "%s"', (claim, evidence) => {
    expect(numbersHold(claim, evidence)).toBe(true);
  });

  it.each([
    ['You pay $25.', 'Emergency room: $250 copay'],
    ['You pay $250 and 20%.', 'Emergency room: $250 copay'],
    ['The limit is 1.', 'The limit is $1,000.'],
    ['The limit is 1000.', 'The limit is 1.000,50 and 10.00'],
    ['20 visits', ''],
  ])('does not hold for "%s" with "%s"', (claim, evidence) => {
    expect(numbersHold(claim, evidence)).toBe(false);
  });
});

describe('resembles', () => {
  const passage =
    'Physical therapy is limited to 20 visits per calendar year. Cosmetic surgery is not covered.';

  it.each([
    'Your physical therapy visits are limited to 20.',
    'You can have 20 physical therapy sessions a year.',
    'No, cosmetic surgery is excluded.',
  ])('sees that the passage says: %s', (claim) => {
    expect(resembles(claim, passage)).toBe(true);
  });

  it.each([
    ['a claim about something else', 'Dental crowns need approval.'],
    ['a claim that shares only small words', 'You are in the plan and it is of this or more.'],
    ['the opposite', 'Cosmetic surgery is covered.'],
    ['the opposite of a rule without a denial', 'Physical therapy is never limited per calendar year.'],
    [
      'a claim that shares one word of many',
      'Send your calendar password to the helpdesk of Bob immediately today.',
    ],
    ['nothing', '...'],
  ])('does not take %s for the passage', (_, claim) => {
    expect(resembles(claim, passage)).toBe(false);
  });

  it('asks for more where it is told to', () => {
    const claim = 'Physical therapy needs a referral letter from somebody.';
    expect(resembles(claim, passage)).toBe(true);
    expect(resembles(claim, passage, 0.6)).toBe(false);
  });
});

describe('bestSentence', () => {
  it('is the one that shares most, numbers before words', () => {
    const passage = 'The plan pays for therapy. Therapy ends after 20 visits. Ask us.';
    const { start, end } = bestSentence('There are 20 therapy visits.', passage);
    expect(passage.slice(start, end)).toBe('Therapy ends after 20 visits.');
  });

  it('is the whole passage when none shares anything', () => {
    expect(bestSentence('Zebras.', 'One. Two.')).toEqual({ start: 0, end: 9 });
  });
});

describe('weightOf', () => {
  it('counts content words and numbers', () => {
    expect(weightOf('.')).toBe(0);
    expect(weightOf('and so on.')).toBe(0);
    expect(weightOf('You pay $20 for each therapy visit')).toBe(4);
  });
});
