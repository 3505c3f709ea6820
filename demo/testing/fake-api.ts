import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { AnswerBody, DocumentBody } from '../api-client.js';

export interface FakeApi {
  url: string;
  /** `METHOD path` of every request, in order. */
  requests: string[];
  /** The last JSON body by path. */
  bodies: Record<string, unknown>;
  close(): Promise<void>;
}

export interface FakeApiOptions {
  /** Events of the progress stream, which then ends. */
  events?: [name: string, data: unknown][];
  /** What asking for the document says, once for each time; the last one again and again. */
  documents?: Partial<DocumentBody>[];
  answer?: Partial<AnswerBody>;
  /** Answers to be given in place of the usual one, by `METHOD path`. */
  refusals?: Record<string, { status: number; body: unknown }>;
}

export const DOCUMENT: DocumentBody = {
  id: 'd1',
  title: 'Plan',
  filename: 'plan.txt',
  status: 'queued',
  answerable: 'none',
  percent: 0,
  reason: null,
  stages: [{ name: 'receive', status: 'pending' }],
};

export const ANSWER: AnswerBody = {
  answer: 'The deductible is $1,500 [1].',
  not_in_documents: false,
  citations: [{ marker: 1, document_title: 'Plan', page: 3, quote: 'The deductible is $1,500.' }],
  served_by: 'extractive',
  service_level: 'full',
};

/** The server's HTTP interface as far as the demonstration uses it, with answers made for the test. */
export async function startFakeApi(options: FakeApiOptions = {}): Promise<FakeApi> {
  const requests: string[] = [];
  const bodies: Record<string, unknown> = {};
  const documents = [...(options.documents ?? [{ status: 'ready', answerable: 'semantic', percent: 100 }])];
  const routes: Record<string, (response: ServerResponse) => void> = {
    'GET /health/ready': (response) => json(response, 200, { status: 'ok' }),
    'POST /v1/auth/login': (response) => json(response, 200, { access_token: 'token' }),
    'POST /v1/api-keys': (response) => json(response, 201, { id: 'k1', key: 'nav_key' }),
    'POST /v1/documents': (response) => json(response, 202, DOCUMENT),
    'GET /v1/documents/d1': (response) =>
      json(response, 200, { ...DOCUMENT, ...(documents.length > 1 ? documents.shift() : documents[0]) }),
    'GET /v1/documents/d1/events': (response) => stream(response, options.events ?? []),
    'POST /v1/conversations': (response) => json(response, 201, { id: 'c1' }),
    'POST /v1/conversations/c1/questions': (response) =>
      json(response, 200, { ...ANSWER, ...options.answer }),
  };
  const server = createServer(async (request, response) => {
    const route = `${request.method} ${request.url}`;
    requests.push(route);
    const body = await textOf(request);
    if (request.headers['content-type'] === 'application/json')
      bodies[request.url!] = JSON.parse(body) as unknown;
    const refusal = options.refusals?.[route];
    if (refusal) return json(response, refusal.status, refusal.body);
    const authorized = request.headers.authorization?.startsWith('Bearer ');
    if (!authorized && !/\/health\/|\/login$/.test(route))
      return json(response, 401, { code: 'no-credential' });
    routes[route]?.(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    bodies,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function stream(response: ServerResponse, events: [string, unknown][]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [name, data] of events) response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  response.end();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
