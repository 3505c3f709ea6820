import { currentContext } from '#libs/observability';

const REVALIDATION = Symbol('how to ask again whether the caller may be here');

/** Asks again whether the caller may be here. Rejected with why he may not, or with why nobody knows. */
export type Revalidation = () => Promise<void>;

/** For whoever let the caller of this request in: an answer that goes on for long asks now and then. */
export function setRevalidation(revalidate: Revalidation): void {
  currentContext()?.state.set(REVALIDATION, revalidate);
}

/** Undefined where nobody had to be let in. */
export function currentRevalidation(): Revalidation | undefined {
  return currentContext()?.state.get(REVALIDATION) as Revalidation | undefined;
}
