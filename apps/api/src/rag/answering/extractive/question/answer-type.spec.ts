import { Expectations, type AnswerType } from './answer-type.js';

const TYPES: AnswerType[] = [
  ...(['amount', 'count', 'time', 'age', 'phone', 'address', 'website'] as const),
  ...(['yes-no', 'condition', 'exclusion', 'reason', 'definition', 'list'] as const),
];
const expected = (question: string) => TYPES.filter((type) => Expectations.of(question).has(type));

describe('Expectations', () => {
  it.each<[string, AnswerType[]]>([
    ['How much is an MRI?', ['amount']],
    ['urgent care copay', ['amount']],
    ['What’s my share of the bill?', ['amount']],
    ['How many visits do I get?', ['count']],
    ['How often can I get new glasses?', ['count']],
    ['How many days do I have to appeal?', ['count', 'time']],
    ['When does coverage begin?', ['time']],
    ['Until what age is my son covered?', ['age']],
    ['What number do I call?', ['phone']],
    ['Where do I mail a claim?', ['address']],
    ['Which website lists the doctors?', ['website']],
    ['Is acupuncture covered?', ['yes-no']],
    ['I hurt my back, can I see a chiropractor?', ['yes-no']],
    ['chiropractor covered?', ['yes-no']],
    ['What happens if I forget?', ['condition']],
    ['What is excluded?', ['exclusion']],
    ['Why was it denied?', ['reason']],
    ['What is a copay?', ['definition']],
    ['what does coinsurance mean', ['definition']],
    ['Which services are free?', ['list']],
    ['acupuncture', []],
  ])('expects of "%s": %j', (question, types) => {
    expect(expected(question)).toEqual(types);
  });

  it.each<[string, string, AnswerType[]]>([
    ['How much is it?', 'You pay $20.', []],
    ['How much is it?', 'You pay nothing.', []],
    ['How much is it?', 'Ask your provider.', ['amount']],
    ['How many visits do I get?', '60 visits a year', []],
    ['How many visits do I get?', 'one exam/year', []],
    ['How many visits do I get?', 'Visits are counted. You pay $60 or 20%.', ['count']],
    ['How many visits do I get?', 'Call 612-555-0142 for visits.', ['count']],
    ['How many employees are there?', 'Employees work at least 30 hours.', ['count']],
    ['How often may I go?', 'Twice a year', []],
    ['When does it end?', 'On December 31, 2026', []],
    ['How long does it take?', 'Within 15 business days', []],
    ['How long does it take?', 'It takes patience.', ['time']],
    ['What number do I call?', 'Call 1-800-318-2596.', []],
    ['What number do I call?', 'Call us.', ['phone']],
    ['Where do I send it?', 'P.O. Box 12, Springfield', []],
    ['What is a rider?', 'Rider. Optional coverage.', []],
  ])('asked "%s", finds that "%s" lacks %j', (question, text, missing) => {
    expect(Expectations.of(question).missingIn(text)).toEqual(missing);
  });

  it('tells which share of what is asked a text states', () => {
    const expectations = Expectations.of('How many days do I have to appeal?');
    expect(expectations.statedShare('You have 180 days.', ['count', 'time'])).toBe(1);
    expect(expectations.statedShare('You may appeal.', ['count', 'time'])).toBe(0);
    expect(expectations.statedShare('You have 180 days.', ['amount'])).toBe(0);
  });
});
