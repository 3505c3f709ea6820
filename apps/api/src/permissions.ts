import { writeFile } from 'node:fs/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  accessRuleOf,
  assertEveryRouteDeclares,
  auditRuleOf,
  listRoutes,
  PERMISSIONS,
  roleAllows,
  ROLES,
  type Permission,
  type Route,
} from '#libs/auth';
import { loadConfig } from '#libs/config';
import { priorityOf, rateDeclarationOf } from '#libs/http';
import { sections } from './app.config.js';
import { AppModule } from './app.module.js';
import { defineCapabilities } from './app.capabilities.js';
import { definePolicies } from './app.policies.js';
import type { Infrastructure } from './infrastructure.module.js';

export const PERMISSIONS_FILE = 'docs/permissions.md';

/** `docs/permissions.md`, from what every route declares. */
export async function permissionsPage(): Promise<string> {
  const app = await assembled();
  assertEveryRouteDeclares(app);
  const routes = listRoutes(app).sort((a, b) => compare(a.url, b.url) || compare(a.method, b.method));
  const areas = Map.groupBy(routes, areaOf);
  const sorted = [...areas].sort(([a], [b]) => compare(a, b));
  return [
    PREFACE,
    '## Roles and permissions',
    'Each role may do all that the one before it may. An API key may be given fewer permissions than its user has.',
    rolesTable(routes),
    '## Routes',
    ...sorted.flatMap(([area, within]) => [`### ${titled(area)}`, routesTable(within)]),
    '## Why some reads leave no record',
    reasonsTable(routes),
  ]
    .join('\n\n')
    .concat('\n');
}

const PREFACE = `# Who may do what

Every route of the API, who may use it, what it leaves in the audit log, which quota it draws on, and how early it is given
up when there is too much to do. This page is written by \`npm run permissions\` from what the code declares; a test compares the
two. A route that does not declare all of this does not start.

Whose a thing is comes besides: a tenant sees nothing of another one, and a document is seen by its owner and by whom it is
shared with. That is decided in the database and answered with 404.`;

function rolesTable(routes: Route[]): string {
  const uses = (permission: Permission) =>
    routes.filter((route) => ruleOf(route).permission === permission).length;
  const rows = PERMISSIONS.map((permission) => [
    code(permission),
    ...ROLES.map((role) => (roleAllows(role, permission) ? '✓' : '')),
    String(uses(permission)),
  ]);
  return table(['permission', ...ROLES, 'routes'], rows);
}

function routesTable(routes: Route[]): string {
  const rows = routes.map((route) => {
    const { controller, handler, method, url } = route;
    const audit = auditRuleOf(route)!;
    return [
      code(`${method} ${url}`),
      summaryOf(route),
      whoMay(route),
      'action' in audit ? code(audit.action) : 'none',
      rateDeclarationOf(controller, handler)!.name,
      priorityOf(controller, handler)!,
    ];
  });
  return table(['route', 'what it does', 'who may', 'audit action', 'quota', 'priority'], rows);
}

function reasonsTable(routes: Route[]): string {
  const rows = routes.flatMap((route) => {
    const audit = auditRuleOf(route)!;
    return 'none' in audit ? [[code(`${route.method} ${route.url}`), audit.none]] : [];
  });
  return table(['route', 'because it shows'], rows);
}

function whoMay(route: Route): string {
  const { isPublic, permission } = ruleOf(route);
  if (isPublic) return 'everybody';
  const least = ROLES.find((role) => roleAllows(role, permission!));
  return `${least}${least === ROLES.at(-1) ? '' : ' and above'} (${code(permission!)})`;
}

function ruleOf({ controller, handler }: Route) {
  return accessRuleOf(controller, handler);
}

/** As the API documentation groups them. */
function areaOf({ controller, handler, url }: Route): string {
  const tags = (Reflect.getMetadata(API_TAGS, handler) ?? Reflect.getMetadata(API_TAGS, controller)) as
    string[] | undefined;
  return tags?.[0] ?? (url.startsWith('/health') || url === '/metrics' ? 'operations' : 'other');
}

function summaryOf({ handler }: Route): string {
  const { summary = '' } = (Reflect.getMetadata(API_OPERATION, handler) ?? {}) as { summary?: string };
  return summary.replaceAll('|', '\\|');
}

/** Where @nestjs/swagger keeps what its decorators are given. */
const API_TAGS = 'swagger/apiUseTags';
const API_OPERATION = 'swagger/apiOperation';

/** All modules put together, and nothing made or started. */
function assembled(): Promise<INestApplicationContext> {
  const config = loadConfig(sections, {});
  const policies = definePolicies(config);
  const infrastructure = { source: {}, policies, capabilities: defineCapabilities(policies) };
  return NestFactory.createApplicationContext(
    AppModule.register(config, infrastructure as unknown as Infrastructure),
    { preview: true, logger: false, abortOnError: false },
  );
}

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

const code = (text: string) => `\`${text}\``;
const titled = (area: string) => area.charAt(0).toUpperCase() + area.slice(1);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** `npm run permissions`: writes `docs/permissions.md` anew. */
if (import.meta.main) {
  await writeFile(PERMISSIONS_FILE, await permissionsPage());
  new Logger('permissions').log(`${PERMISSIONS_FILE} is written`);
  process.exit(0);
}
