import { currentContext } from '#libs/observability';

const TAG = Symbol('fault tag');
const APPLIED = Symbol('applied faults');

/** The only header that a rule may ask for, so that none that carries a secret is ever kept. */
export const FAULT_TAG_HEADER = 'x-fault-tag';
const ACCEPTED_TAG = /^[A-Za-z0-9._-]{1,64}$/;

/** Keeps the tag for the length of the request; a value that no rule could have is ignored. */
export function setTag(header: string | string[] | undefined): void {
  if (typeof header === 'string' && ACCEPTED_TAG.test(header)) currentContext()?.state.set(TAG, header);
}

export function tagOf(): string | undefined {
  return currentContext()?.state.get(TAG) as string | undefined;
}

/** Notes that a rule hit the request under way. */
export function appliedTo(ruleId: string): void {
  const state = currentContext()?.state;
  if (!state) return;
  const applied = (state.get(APPLIED) as Set<string> | undefined) ?? new Set<string>();
  state.set(APPLIED, applied.add(ruleId));
}

/** The rules that have hit the request under way so far. */
export function appliedRules(): string[] {
  return [...((currentContext()?.state.get(APPLIED) as Set<string> | undefined) ?? [])];
}
