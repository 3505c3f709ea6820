import { uuidv7 } from '#libs/database';
import { currentContext } from '#libs/observability';

const RESOURCE_ID = Symbol('id of what an idempotent request makes');

export function setResourceId(id: string): void {
  currentContext()?.state.set(RESOURCE_ID, id);
}

/**
 * The id for the one thing that the request under way makes: the same when the request is repeated with its
 * `Idempotency-Key`. Whoever inserts it must expect to find it there already.
 */
export function newResourceId(): string {
  return (currentContext()?.state.get(RESOURCE_ID) as string | undefined) ?? uuidv7();
}
