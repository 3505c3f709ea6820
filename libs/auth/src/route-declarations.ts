import { type INestApplicationContext, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { auditedActOf, isReadOnly, unauditedReasonOf } from '#libs/audit';
import { priorityOf, rateDeclarationOf } from '#libs/http';
import { accessRuleOf } from './declarations.js';
import type { Permission } from './principal.js';

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

/** Reads that leave no record unless they are `@Audited`, by what they require: they show nothing of a document. */
const UNAUDITED_READS: Partial<Record<Permission | 'public', string>> = {
  public: 'tells nothing of anybody',
  'account.own': 'of the caller himself',
  'key.manage': 'of the caller’s own keys',
  'user.manage': 'accounts, which those who run the tenant work with; every change of one is recorded',
  'tenant.configure': 'the rules of the tenant; every change of them is recorded',
  'ingestion.manage': 'how far the processing is; no word of a document',
  'system.operate': 'the state of the installation',
  'system.metrics': 'the state of the installation, in which no tenant is told apart',
};

/**
 * Deny by default, at start. Every route declares a permission or `@Public`; what it leaves in the audit log; a
 * `@RateClass`; a `@Priority`. Whatever is not a GET may change something, and is `@Audited`, unless it says with
 * `@ReadOnly` that it does not. A read is `@Audited`, or says by `@Unaudited` why not, or requires a permission under
 * which nothing of a document is shown.
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

/** What a route leaves in the audit log: an action, or nothing and why; undefined where it does not say. */
export function auditRuleOf({
  method,
  controller,
  handler,
}: Route): { action: string } | { none: string } | undefined {
  const act = auditedActOf(handler);
  if (act) return { action: act.action };
  if (!READING.has(method) && !isReadOnly(handler)) return undefined;
  const { isPublic, permission } = accessRuleOf(controller, handler);
  const own = unauditedReasonOf(controller, handler);
  const common = isPublic ? UNAUDITED_READS.public : permission && UNAUDITED_READS[permission];
  const none = own ?? (isReadOnly(handler) ? undefined : common);
  return none === undefined ? undefined : { none };
}

function problemsOf(route: Route): string[] {
  const { method, controller, handler } = route;
  const rule = accessRuleOf(controller, handler);
  const problems: string[] = [];
  if (!rule.isPublic && !rule.permission) problems.push('declares neither a permission nor @Public');
  if (rule.isPublic && rule.permission) problems.push('declares both a permission and @Public');
  if (isReadOnly(handler) && method !== 'POST') problems.push('is @ReadOnly, which is for a POST');
  const isRead = READING.has(method) || isReadOnly(handler);
  if (!auditRuleOf(route))
    problems.push(
      isRead ? 'reads without @Audited or @Unaudited and why' : 'changes something without @Audited',
    );
  if (!rateDeclarationOf(controller, handler)) problems.push('declares no @RateClass');
  if (!priorityOf(controller, handler)) problems.push('declares no @Priority');
  return problems;
}
