import type { Passage } from '../../../rag/index.js';
import { type Fact, factAt } from '../fact.js';
import { passage, row } from '../spec-passages.js';
import type { ReadFact } from './fact-form.js';
import { groundFact } from './ground-fact.js';

const read = (given: Partial<ReadFact>): ReadFact => ({
  passage: 1,
  key: 'deductible',
  service: null,
  label: null,
  network: null,
  person: null,
  value: '$1,500',
  ...given,
});
const PROSE = passage('For in-network care the deductible is $1,500 for one person and $3,000 for a family.');
const VISIT = row('Office visit', { 'In-network': '$25 copay', 'Out-of-network': '$25 copay' });

function grounded(given: Partial<ReadFact>, passages: Passage[] = [PROSE]): Fact {
  const fact = groundFact(read(given), passages);
  if (typeof fact === 'string') throw new Error(fact);
  const { source, value } = fact;
  const { text } = passages.find(({ id }) => id === source.passageId)!;
  expect(text.slice(source.start, source.end)).toBe(value);
  return fact;
}

const dropped = (given: object, passages: Passage[] = [PROSE]) =>
  groundFact({ ...read({}), ...given }, passages);

describe('a fact that a model wrote', () => {
  it('stands at its place in the passage that it names', () => {
    expect(grounded({ network: 'in', person: 'individual' })).toMatchObject({
      key: 'deductible',
      network: 'in',
      person: 'individual',
      value: '$1,500',
      amount: { amount: 1_500, unit: 'USD' },
      foundBy: 'model',
    });
  });

  it.each(['$1500', '1,500', 'USD 1500', '1500 dollars', '$1,500.00', ' $ 1,500 '])(
    'may write a sum as %j where the document writes it in another way',
    (value) => expect(grounded({ value }).value).toBe('$1,500'),
  );

  it.each(['$1,501', '$150', '1,5', '$15,000', '1500%', 'fifteen hundred', ''])(
    'is dropped when its value does not stand there: %j',
    (value) => expect(dropped({ value })).toBe('ungrounded'),
  );

  it.each([0, 2, -1, 1.5])('is dropped when there is no passage %d', (number) => {
    expect(dropped({ passage: number })).toBe('unknown-passage');
  });

  it.each([
    ['an unknown kind', { key: 'premium' }],
    ['an unknown service', { key: 'service_cost', service: 'magic' }],
    ['no value', { value: undefined }],
    ['a number for a value', { value: 1_500 }],
  ])('is dropped for %s', (_, given) => expect(dropped(given)).toBe('invalid'));

  it.each(['facts', null, 7, []])('is dropped when it is %j', (written) => {
    expect(groundFact(written, [PROSE])).toBe('invalid');
  });

  it('is dropped when the passage says nothing of its kind, whatever the sum', () => {
    const fee = passage('The reprint of a card costs $1,500.');
    expect(dropped({}, [fee])).toBe('unsupported');
    expect(dropped({ key: 'exclusion', value: 'The reprint of a card' }, [fee])).toBe('unsupported');
    expect(dropped({ key: 'phone', value: '$1,500' }, [fee])).toBe('unsupported');
    expect(dropped({ key: 'period', value: '$1,500' }, [fee])).toBe('unsupported');
  });

  it('is dropped when its sum is that of one benefit alone', () => {
    const dental = passage('The deductible is $1,500.', { headingPath: ['Dental benefits'] });
    expect(dropped({}, [dental])).toBe('unsupported');
  });

  it('says of network and person only what the passage says', () => {
    const bare = passage('The deductible is $1,500.');
    expect(grounded({ network: 'out', person: 'family' }, [bare])).toMatchObject({
      network: null,
      person: null,
    });
  });

  it('has the network of the column in which it stands', () => {
    const cost = { key: 'service_cost', service: 'primary_care_visit', label: 'Office visit' } as const;
    const [inside, outside] = (['in', 'out'] as const).map((network) =>
      grounded({ ...cost, network, value: '$25 copay' }, [VISIT]),
    );
    expect([inside!.network, outside!.network]).toEqual(['in', 'out']);
    expect(outside!.source.start).toBeGreaterThan(inside!.source.start);
    expect(inside).toMatchObject({ label: 'Office visit', amount: { amount: 25, unit: 'USD' } });
  });

  it('names a service as the document does, or not at all', () => {
    const cost = { key: 'service_cost', service: 'primary_care_visit', value: '$25 copay' };
    expect(dropped({ ...cost, label: 'Visit to the moon' }, [VISIT])).toBe('unsupported');
    expect(dropped({ ...cost, label: null }, [VISIT])).toBe('unsupported');
    expect(dropped({ ...cost, label: 'Office visit', service: null }, [VISIT])).toBe('unsupported');
  });

  it('has the days of a period as days', () => {
    const text = passage('In effect from January 1, 2026 to December 31, 2026.');
    const value = 'January 1, 2026 to December 31, 2026';
    expect(grounded({ key: 'period', value }, [text])).toMatchObject({
      from: '2026-01-01',
      to: '2026-12-31',
    });
  });

  it('is what rules would have made of it', () => {
    const text = passage('Call 612-555-0142.');
    const { confidence: _, foundBy: __, ...fact } = grounded({ key: 'phone', value: '612-555-0142' }, [text]);
    expect(factAt(text, [5, 17], { key: 'phone', confidence: 1 })).toMatchObject(fact);
  });
});
