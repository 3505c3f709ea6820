import { SetMetadata } from '@nestjs/common';

const BEFORE_SECOND_FACTOR = Symbol('route for sessions that lack a second factor');

/** The route is also for sessions that lack the second factor their tenant requires; no other one is. */
export const BeforeSecondFactor = () => SetMetadata(BEFORE_SECOND_FACTOR, true);

export function isBeforeSecondFactor(handler: object): boolean {
  return Reflect.getMetadata(BEFORE_SECOND_FACTOR, handler) === true;
}
