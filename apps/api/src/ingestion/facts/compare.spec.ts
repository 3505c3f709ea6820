import { compareFacts } from './compare.js';
import type { Fact } from './fact.js';

function fact(given: Partial<Fact>): Fact {
  return {
    key: 'deductible',
    service: null,
    label: null,
    network: null,
    person: null,
    value: '$1,500',
    amount: null,
    from: null,
    to: null,
    confidence: 1,
    source: { passageId: 'p', start: 0, end: 1 },
    ...given,
  };
}

describe('plans side by side', () => {
  it('have a row for each thing that any of them says', () => {
    const rows = compareFacts([
      [fact({ network: 'in' }), fact({ key: 'service_cost', service: 'imaging', value: '$50' })],
      [fact({ network: 'out', value: '$3,000' })],
    ]);
    expect(
      rows.map(({ slot, values }) => [slot.key, slot.network, values.map((value) => value?.value ?? null)]),
    ).toEqual([
      ['deductible', 'in', ['$1,500', null]],
      ['deductible', 'out', [null, '$3,000']],
      ['service_cost', null, ['$50', null]],
    ]);
  });

  it('differ by what a value comes to and not by how it is written', () => {
    const usd = (amount: number) => ({ amount, unit: 'USD' as const });
    const [same] = compareFacts([
      [fact({ amount: usd(1500) })],
      [fact({ value: '$1,500.00', amount: usd(1500) })],
    ]);
    const [other] = compareFacts([
      [fact({ amount: usd(1500) })],
      [fact({ value: '$900', amount: usd(900) })],
    ]);
    expect([same!.differs, other!.differs]).toEqual([false, true]);
  });

  it('differ by an exclusion that only one of them names', () => {
    const exclusion = fact({ key: 'exclusion', value: 'Cosmetic surgery' });
    expect(compareFacts([[exclusion], []])[0]!.differs).toBe(true);
    expect(compareFacts([[exclusion], [{ ...exclusion, value: 'cosmetic surgery' }]])[0]!.differs).toBe(
      false,
    );
  });

  it('leave out what is not compared', () => {
    expect(compareFacts([[fact({ key: 'phone' })], [fact({ key: 'plan_name' })]])).toEqual([]);
  });
});
