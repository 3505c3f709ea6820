import fastifyMultipart from '@fastify/multipart';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { listRoutes } from '#libs/auth';
import { problem } from '#libs/errors';
import { Faults, registerFaultHooks } from '#libs/faults';
import {
  Admission,
  type BrowserConfig,
  isWatcher,
  MAX_DEADLINE_MS,
  priorityOf,
  ProblemFilter,
  rateDeclarationOf,
  registerAdmission,
  registerCrossOrigin,
  registerEventStreams,
  registerQueryRules,
  registerTextRules,
  registerRequestHooks,
  sendProblem,
  type StreamConfig,
  ValidationFailed,
} from '#libs/http';
import { API_HEADERS, registerBrowserHeaders } from './app.headers.js';
import { openApiDocument } from './app.openapi.js';

const JSON_BODY_BYTES = 1_048_576;
/** Beyond it a connection is closed as it comes, so that file descriptors and memory are left for the others. */
const MOST_CONNECTIONS = 20_000;
/**
 * A socket on which nothing moves for this long is closed. The longest deadline of a request ends before, so that its
 * client still hears of it; the heartbeats of event streams keep these open.
 */
const SILENCE_MS = MAX_DEADLINE_MS + 30_000;

export function createAdapter({ trustProxy }: { trustProxy?: string }): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: JSON_BODY_BYTES,
    trustProxy: trustProxy ? trustProxy.split(',').map((part) => part.trim()) : false,
    requestTimeout: 0, // Uploads over slow lines take as long as they take; headers do not.
    // Node looks for headers that are late only every 30 s unless told otherwise.
    // Ten seconds for the headers, with the time until somebody looks.
    http: { headersTimeout: 8_000, connectionsCheckingInterval: 2_000 },
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    frameworkErrors: (_error: unknown, _request: unknown, reply: unknown) =>
      sendProblem(
        (reply as FastifyReply).headers(API_HEADERS),
        problem(400, 'invalid-url', 'The URL is not valid'),
      ),
  });
}

/** Everything between the socket and the controllers that is not a module: hooks, headers, bodies, documentation. */
export async function setUp(
  app: NestFastifyApplication,
  {
    maxUploadBytes,
    streams,
    browser,
  }: { maxUploadBytes: number; streams: StreamConfig; browser: BrowserConfig },
) {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.server.maxConnections = MOST_CONNECTIONS;
  registerRequestHooks(fastify);
  // Before anything that may refuse a request: browsers obey these whatever the answer is.
  registerBrowserHeaders(fastify);
  registerCrossOrigin(fastify, browser.origins);
  registerQueryRules(fastify);
  registerTextRules(fastify);
  registerFaultHooks(fastify, app.get(Faults));
  registerAdmission(fastify, admissionOf(app));
  registerEventStreams(fastify, streams);
  takeJsonOnly(app);
  await app.register(fastifyMultipart, {
    limits: { fileSize: maxUploadBytes, files: 1, fields: 20, fieldSize: 10_000, headerPairs: 100 },
  });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(
    new StandardSchemaValidationPipe({ exceptionFactory: (issues) => new ValidationFailed(issues) }),
  );
  if (browser.docs) serveDocumentation(app);
}

/**
 * JSON and uploads are all that is read; a form of a foreign page or plain text is refused by its type (415) before
 * anybody looks at its content. A body that would change what objects inherit is refused as well (400).
 */
function takeJsonOnly(app: NestFastifyApplication): void {
  app.getHttpAdapter().getInstance().removeContentTypeParser('text/plain');
  app.useBodyParser('application/json', { bodyLimit: JSON_BODY_BYTES });
}

/** With what every route declares, so that the door knows it before Nest has looked at the request. */
function admissionOf(app: NestFastifyApplication): Admission {
  const admission = app.get(Admission);
  for (const { method, url, controller, handler } of listRoutes(app)) {
    const rate = rateDeclarationOf(controller, handler);
    const priority = priorityOf(controller, handler);
    if (rate && priority)
      admission.declare(`${method} ${url}`, { rate, priority, isWatcher: isWatcher(controller, handler) });
  }
  return admission;
}

/** OpenAPI 3.1 at `/openapi.json`, a page to browse and try it at `/docs`. */
function serveDocumentation(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Insurance Navigator API',
  });
}
