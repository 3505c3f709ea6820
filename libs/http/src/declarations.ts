import { SetMetadata } from '@nestjs/common';

/** Routes of one class share a limit per client: what they cost is alike. */
export type RateClassName = 'auth' | 'upload' | 'question' | 'search' | 'read' | 'write';
/** What is given up first when there is too much to do. */
export type PriorityName = 'critical' | 'normal' | 'sheddable';

export const RATE_CLASS = 'navigator:rate-class';
export const PRIORITY = 'navigator:priority';
export const SECRET_RESPONSE = 'navigator:secret-response';

/** Without it a route is of class `read` (GET) or `write`. */
export const RateClass = (name: RateClassName) => SetMetadata(RATE_CLASS, name);
/** Without it a route is `normal`. */
export const Priority = (name: PriorityName) => SetMetadata(PRIORITY, name);
/** The response holds a secret that is shown once, so an idempotent repeat must not store or replay it. */
export const SecretResponse = () => SetMetadata(SECRET_RESPONSE, true);
