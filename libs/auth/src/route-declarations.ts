import { type INestApplicationContext, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { auditedActOf, isReadOnly } from '#libs/audit';
import { priorityOf, rateDeclarationOf } from '#libs/http';
import { accessRuleOf } from './declarations.js';

/** Start-up stops: a route would be open to everybody, change something without a trace, or take without limit. */
export class UndeclaredRoutes extends Error {
  constructor(readonly problems: string[]) {
    super(['These routes do not declare what they must:', ...problems.map((p) => `  ${p}`)].join('\n'));
    this.name = 'UndeclaredRoutes';
  }
}

export interface Route {
  name: string;
  method: string;
  /** With its parameters as they are declared: `/v1/documents/:id`. */
  url: string;
  controller: new (...args: never[]) => object;
  handler: (...args: never[]) => unknown;
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Deny by default, at start: every route declares a permission or `@Public`, and every route that may change
 * something (whatever is not a GET) is `@Audited`. A POST that only reads says so with `@ReadOnly`. Every route has a
 * `@RateClass` and a `@Priority`.
 *
 * @throws UndeclaredRoutes naming every one that does not
 */
export function assertEveryRouteDeclares(app: INestApplicationContext): void {
  const problems = listRoutes(app).flatMap((route) => problemsOf(route).map((p) => `${route.name} ${p}`));
  if (problems.length > 0) throw new UndeclaredRoutes(problems);
}

/** All routes of all controllers of the program. */
export function listRoutes(app: INestApplicationContext): Route[] {
  const scanner = new MetadataScanner();
  return new DiscoveryService(app.get(ModulesContainer)).getControllers().flatMap(({ metatype }) => {
    const controller = metatype as Route['controller'];
    return scanner
      .getAllMethodNames(controller.prototype as object)
      .map((name) => routeOf(controller, name))
      .filter((route) => route !== undefined);
  });
}

function routeOf(controller: Route['controller'], methodName: string): Route | undefined {
  const handler = (controller.prototype as Record<string, Route['handler']>)[methodName]!;
  const path = Reflect.getMetadata(PATH_METADATA, handler) as string | string[] | undefined;
  if (path === undefined) return undefined;
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  const prefix = String(Reflect.getMetadata(PATH_METADATA, controller) ?? '');
  const url = `/${prefix}/${String(path)}`.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1');
  return { name: `${method} ${url} (${controller.name}.${methodName})`, method, url, controller, handler };
}

function problemsOf({ method, controller, handler }: Route): string[] {
  const rule = accessRuleOf(controller, handler);
  const audited = auditedActOf(handler) !== undefined;
  const problems: string[] = [];
  if (!rule.isPublic && !rule.permission) problems.push('declares neither a permission nor @Public');
  if (rule.isPublic && rule.permission) problems.push('declares both a permission and @Public');
  if (isReadOnly(handler) && (audited || method !== 'POST'))
    problems.push('is @ReadOnly, which is for a POST that is not @Audited');
  if (!READING.has(method) && !audited && !isReadOnly(handler))
    problems.push('changes something without @Audited');
  if (!rateDeclarationOf(controller, handler)) problems.push('declares no @RateClass');
  if (!priorityOf(controller, handler)) problems.push('declares no @Priority');
  return problems;
}
