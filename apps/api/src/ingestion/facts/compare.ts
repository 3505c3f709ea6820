import { type Fact, FACT_KEYS, slotOf, worthOf } from './fact.js';

export interface ComparedRow {
  slot: Pick<Fact, 'key' | 'service' | 'network' | 'person'>;
  /** One for each plan, in their order; null where a plan says nothing. */
  values: (Fact | null)[];
  differs: boolean;
}

/**
 * Lays plans side by side: a row for each thing that any of them says, in the order of the keys, then of their first
 * mention. A phone number and a name are looked up in one plan; they are not compared.
 */
export function compareFacts(plans: readonly (readonly Fact[])[]): ComparedRow[] {
  const bySlot = plans.map(
    (facts) => new Map(facts.filter(isComparable).map((fact) => [slotOf(fact), fact])),
  );
  const slots = new Map(bySlot.flatMap((facts) => [...facts]));
  return [...slots]
    .map(([slot, { key, service, network, person }]) => {
      const values = bySlot.map((facts) => facts.get(slot) ?? null);
      return { slot: { key, service, network, person }, values, differs: doDiffer(values) };
    })
    .sort((a, b) => FACT_KEYS.indexOf(a.slot.key) - FACT_KEYS.indexOf(b.slot.key));
}

const isComparable = ({ key }: Fact) => key !== 'phone' && key !== 'plan_name' && key !== 'insurer';

/** An exclusion that only one plan names is a difference; elsewhere silence says nothing. */
function doDiffer(values: readonly (Fact | null)[]): boolean {
  const said = values.filter((value) => value !== null);
  if (said[0]?.key === 'exclusion') return said.length < values.length;
  return new Set(said.map(worthOf)).size > 1;
}
