import { SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Priority as PriorityName } from '#libs/resilience';

/**
 * Routes of one class share a quota: what they cost is alike. `auth` counts by address, because nobody is known yet;
 * `probe` is for orchestrators and scrapers, who ask often and must always be answered; the others count by credential.
 */
export type RateClassName = 'auth' | 'upload' | 'question' | 'search' | 'read' | 'write' | 'probe';

export interface RateDeclaration {
  name: RateClassName;
  /** Units of the quota that a request takes; 1 unless given. Asked before the body is read. */
  cost?: (request: FastifyRequest) => number;
}

const RATE_CLASS = Symbol('rate class');
const PRIORITY = Symbol('priority');
const WATCHER = Symbol('watcher');
export const SECRET_RESPONSE = 'navigator:secret-response';

/** Every route has one, by itself or by its class. */
export const RateClass = (name: RateClassName, options: Pick<RateDeclaration, 'cost'> = {}) =>
  SetMetadata(RATE_CLASS, { name, ...options } satisfies RateDeclaration);

/**
 * What is given up first when there is too much to do; every route has one, by itself or by its class.
 * critical-plus: what keeps the installation running and people signed in. critical: what people wait for.
 * sheddable-plus: changes, which a client repeats later. sheddable: reads that it can repeat at any time.
 */
export const Priority = (name: PriorityName) => SetMetadata(PRIORITY, name);

/**
 * The response is an event stream that waits for what is to come: whoever has as many of them as he may is refused before
 * anything is looked up.
 */
export const Watcher = () => SetMetadata(WATCHER, true);

/** The response holds a secret that is shown once, so an idempotent repeat must not store or replay it. */
export const SecretResponse = () => SetMetadata(SECRET_RESPONSE, true);

export function rateDeclarationOf(controller: object, handler: object): RateDeclaration | undefined {
  return declared<RateDeclaration>(RATE_CLASS, controller, handler);
}

export function priorityOf(controller: object, handler: object): PriorityName | undefined {
  return declared<PriorityName>(PRIORITY, controller, handler);
}

export function isWatcher(controller: object, handler: object): boolean {
  return declared<boolean>(WATCHER, controller, handler) ?? false;
}

/** A route's own declaration goes before its class's. */
function declared<T>(key: symbol, controller: object, handler: object): T | undefined {
  return (Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller)) as T | undefined;
}
