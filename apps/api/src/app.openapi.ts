import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { accessRuleOf, auditRuleOf, listRoutes, type Route } from '#libs/auth';
import { priorityOf, rateDeclarationOf } from '#libs/http';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Of everything that the controllers describe, and of what holds for every route without being said there. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const about = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Insurance Navigator')
    .setDescription(
      'Upload insurance documents and ask questions about them; answers are quoted from the documents.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An access token or an API key (nav_…)' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, about, { operationIdFactory: operationIdOf });
  const routes = new Map(
    listRoutes(app).map((route) => [operationIdOf(route.controller.name, route.handler.name), route]),
  );
  document.components = {
    ...document.components,
    headers: RATE_LIMIT_HEADERS,
    responses: { ...document.components?.responses, TooManyRequests: TOO_MANY_REQUESTS },
  };
  for (const { get, post, put, patch, delete: remove } of Object.values(document.paths))
    for (const operation of [get, post, put, patch, remove]) {
      const route = routes.get(operation?.operationId ?? '');
      if (operation && route) describeDeclarations(operation, route);
    }
  return document;
}

/** What a route declares for the guards, for those who read the documentation. */
function describeDeclarations(operation: Operation, route: Route): void {
  const { controller, handler } = route;
  const { isPublic, permission } = accessRuleOf(controller, handler);
  const rateClass = rateDeclarationOf(controller, handler)?.name;
  const audit = auditRuleOf(route);
  // An empty list takes the place of the requirement that holds for all the others.
  if (isPublic) operation.security = [];
  Object.assign(operation, {
    'x-permission': permission,
    'x-audit-action': audit && 'action' in audit ? audit.action : undefined,
    'x-rate-class': rateClass,
    'x-priority': priorityOf(controller, handler),
  });
  if (rateClass === 'probe') return;
  operation.responses['429'] ??= { $ref: '#/components/responses/TooManyRequests' };
  // What is counted by address is counted before anybody knows who asks, and tells of it only when it refuses.
  if (isPublic) return;
  for (const [status, response] of Object.entries(operation.responses))
    if (status.startsWith('2') && response && !('$ref' in response))
      response.headers = { ...rateLimitRefs(), ...response.headers };
}

function rateLimitRefs() {
  return Object.fromEntries(
    Object.keys(RATE_LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

const integer = (description: string) => ({ description, schema: { type: 'integer' as const, minimum: 0 } });

/** draft-ietf-httpapi-ratelimit-headers-06. */
const RATE_LIMIT_HEADERS = {
  'RateLimit-Limit': integer(
    'Units a minute of the quota that the request came nearest to: of its credential, its user or its tenant.',
  ),
  'RateLimit-Remaining': integer('How many of them may be used now.'),
  'RateLimit-Reset': integer('Seconds until as many may be used at once as ever.'),
  'RateLimit-Policy': {
    description:
      'The limit, the period in seconds (`w`), and how many units may be used at once (`burst`); they come back evenly.',
    schema: { type: 'string' as const },
    example: '300;w=60;burst=25',
  },
};

const TOO_MANY_REQUESTS = {
  description:
    'A quota is used up (`too-many-requests`), or as many event streams are open as may be (`too-many-streams`).',
  headers: { 'Retry-After': integer('Seconds.'), ...rateLimitRefs() },
  content: {
    'application/problem+json': {
      schema: {
        type: 'object' as const,
        required: ['type', 'title', 'status', 'code', 'retryable', 'retry_after_ms'],
        properties: {
          type: { type: 'string' as const },
          title: { type: 'string' as const },
          status: { type: 'integer' as const, const: 429 },
          detail: { type: 'string' as const },
          code: { type: 'string' as const },
          retryable: { type: 'boolean' as const },
          retry_after_ms: { type: 'integer' as const },
        },
      },
    },
  },
};

function operationIdOf(controller: string, method: string): string {
  return `${controller.replace(/Controller$/, '')}.${method}`;
}
