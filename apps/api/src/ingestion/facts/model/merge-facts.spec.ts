import type { Fact } from '../fact.js';
import { mergeFacts } from './merge-facts.js';

function fact(given: Partial<Fact>): Fact {
  return {
    key: 'deductible',
    service: null,
    label: null,
    network: 'in',
    person: 'individual',
    value: '$1,500',
    amount: { amount: 1_500, unit: 'USD' },
    from: null,
    to: null,
    confidence: 0.75,
    source: { passageId: 'p', start: 0, end: 6 },
    ...given,
  };
}
const rule = (given: Partial<Fact> = {}) => fact({ foundBy: 'rules', ...given });
const model = (given: Partial<Fact> = {}) => fact({ foundBy: 'model', ...given });
const sum = (amount: number) => ({ value: `$${amount}`, amount: { amount, unit: 'USD' as const } });
const named = (value: string) => ({ network: null, person: null, amount: null, value });
const brief = (facts: Fact[]) => facts.map(({ value, confidence, foundBy }) => [value, confidence, foundBy]);

describe('the facts of rules and of a model together', () => {
  it('are surer where both say the same, at the place of the rules', () => {
    const place = { passageId: 'q', start: 3, end: 9 };
    const [both] = mergeFacts([rule({ confidence: 0.6 })], [model({ source: place, value: '$1,500.00' })]);
    expect(both).toMatchObject({
      value: '$1,500',
      confidence: 0.9,
      foundBy: 'both',
      source: { passageId: 'p' },
    });
  });

  it.each([
    ['the rules where they are surer', 0.95, ['$1,500', 0.66, 'rules']],
    ['the rules where both are as sure', 0.75, ['$1,500', 0.52, 'rules']],
    ['the model where rules only guess', 0.6, ['$900', 0.52, 'model']],
  ])('are those of %s when they contradict each other, and less sure', (_, confidence, kept) => {
    expect(brief(mergeFacts([rule({ confidence })], [model(sum(900))]))).toEqual([kept]);
  });

  it('are all that only one of them says', () => {
    const merged = mergeFacts([rule()], [model({ network: 'out', ...sum(3_500) })]);
    expect(brief(merged)).toEqual([
      ['$1,500', 0.75, 'rules'],
      ['$3500', 0.75, 'model'],
    ]);
  });

  it('leave out what the rules say more closely', () => {
    const vague = model({ network: null, ...sum(1_500) });
    expect(brief(mergeFacts([rule()], [vague]))).toEqual([['$1,500', 0.75, 'rules']]);
    const cost = { key: 'service_cost', service: 'imaging', person: null } as const;
    const merged = mergeFacts([rule({ ...cost })], [model({ ...cost, network: null, ...sum(50) })]);
    expect(brief(merged)).toEqual([['$1,500', 0.75, 'rules']]);
  });

  it('leave out what the model says more closely than the rules', () => {
    const vague = rule({ network: null, person: null });
    expect(brief(mergeFacts([vague], [model()]))).toEqual([['$1,500', 0.75, 'model']]);
  });

  it('take a part of a name for the name', () => {
    const merged = mergeFacts(
      [rule({ key: 'plan_name', ...named('Cedar 1500 PPO'), confidence: 0.7 })],
      [model({ key: 'plan_name', ...named('cedar 1500 PPO Plan') })],
    );
    expect(merged).toMatchObject([{ value: 'Cedar 1500 PPO', foundBy: 'both' }]);
  });

  it('name an exclusion and a telephone once, in whatever borders and form', () => {
    const rules = [
      rule({ key: 'exclusion', ...named('Cosmetic surgery') }),
      rule({ key: 'phone', ...named('612-555-0142') }),
    ];
    const read = [
      model({ key: 'exclusion', ...named('Cosmetic surgery (all kinds)') }),
      model({ key: 'phone', ...named('(612) 555-0142') }),
      model({ key: 'exclusion', ...named('Acupuncture') }),
    ];
    expect(mergeFacts(rules, read).map(({ value, foundBy }) => [value, foundBy])).toEqual([
      ['Cosmetic surgery', 'both'],
      ['612-555-0142', 'both'],
      ['Acupuncture', 'model'],
    ]);
  });

  it('believe a model that contradicts itself the first time', () => {
    expect(brief(mergeFacts([], [model(), model(sum(900))]))).toEqual([['$1,500', 0.75, 'model']]);
  });

  it('are those of the rules when the model says nothing', () => {
    expect(mergeFacts([rule()], [])).toEqual([rule()]);
  });
});
