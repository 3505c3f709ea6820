import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

const YEAR_SECONDS = 31_536_000;
/** No page is made of answers of the API: nothing in them is loaded, run, framed, sent or given a base. */
const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";
/** The documentation page brings its own script and styles, all from this origin. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** What a page of ours never needs. */
const PERMISSIONS_POLICY = [
  'accelerometer',
  'browsing-topics',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/** What tells browsers how to treat an answer of the API. They heed the transport's rule only where it came by TLS. */
export const API_HEADERS: Readonly<Record<string, string>> = {
  ...helmetHeaders(),
  'content-security-policy': API_POLICY,
  'permissions-policy': PERMISSIONS_POLICY,
  'cache-control': 'no-store',
};
const DOCS_HEADERS = { ...API_HEADERS, 'content-security-policy': DOCS_POLICY };

/** Gives every answer its headers before anything else may answer; who has reason to, sets others over them. */
export function registerBrowserHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const isDocs = request.url === '/docs' || request.url.startsWith('/docs/');
    reply.headers(isDocs ? DOCS_HEADERS : API_HEADERS);
    done();
  });
}

/** They do not depend on the request, so Helmet is asked once. */
function helmetHeaders(): Record<string, string> {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const advise = helmet({
    contentSecurityPolicy: false,
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: { maxAge: YEAR_SECONDS, includeSubDomains: true },
  });
  advise(response.req, response, () => undefined);
  return response.getHeaders() as Record<string, string>;
}
