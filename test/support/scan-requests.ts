import type { Furnishing } from './leak-furnishing.js';
import { isIdName, kindInPath, kindOf, textOfFormat } from './leak-furnishing.js';
import { fillPath, nameOf, type Operation, sampleOf, type Schema } from './open-api.js';

/** An HTTP request as sqlmap reads it: each place to try ends in `*`. */
export interface ScanRequest {
  name: string;
  text: string;
  places: number;
}

/** What takes most from strangers and from people with an account, for a short run. */
export const EXPOSED = new Set([
  'POST /v1/search',
  'GET /v1/documents',
  'GET /v1/documents/{id}',
  'POST /v1/auth/login',
  'GET /v1/audit/events',
]);

/** Those that read come first, those that remove last, so that there is something left to be asked for. */
export function scanRequests(
  operations: Operation[],
  ids: Furnishing['ids'],
  host: string,
  key: string,
): ScanRequest[] {
  const order = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const sorted = operations.toSorted((one, other) => order.indexOf(one.method) - order.indexOf(other.method));
  const requests = sorted.flatMap(withoutCursor).map((operation) => requestOf(operation, ids, host, key));
  return [...requests.filter(({ places }) => places > 0), ofHeaders(host, key)];
}

/** A cursor that is none is refused before anything else is looked at, so it has a request of its own. */
function withoutCursor(operation: Operation): Operation[] {
  const isCursor = ({ name }: { name: string }) => name === 'cursor';
  const others = operation.parameters.filter((each) => !isCursor(each));
  if (others.length === operation.parameters.length) return [operation];
  const inPath = others.filter((each) => each.in === 'path');
  const cursor = operation.parameters.filter(isCursor);
  return [
    { ...operation, parameters: others },
    { ...operation, parameters: [...inPath, ...cursor] },
  ];
}

function requestOf(operation: Operation, ids: Furnishing['ids'], host: string, key: string): ScanRequest {
  let places = 0;
  const tried = (value: string) => {
    places++;
    return `${value}*`;
  };
  const plain = (name: string, schema: Schema): string =>
    isIdName(name) ? ids.get(kindOf(name))! : (textOfFormat(name, schema) ?? 'deductible');
  const path = fillPath(operation.path, (name) => ids.get(kindInPath(operation.path, name)) ?? 'nothing');
  const query = operation.parameters
    .filter((each) => each.in === 'query')
    .map(({ name, schema }) => `${name}=${tried(encodeURIComponent(String(sampleOf(schema, plain, name))))}`);
  const marked = path.replace(/(?<=\/)[^/]+/g, (part, at: number) =>
    operation.path.split('/')[path.slice(0, at).split('/').length - 1]?.startsWith('{') ? tried(part) : part,
  );
  const url = query.length > 0 ? `${marked}?${query.join('&')}` : marked;
  const json = operation.bodies['application/json'];
  const body = json && JSON.stringify(sampleOf(json, (name, schema) => tried(plain(name, schema))));
  return { name: nameOf(operation), places, text: textOf(operation.method, url, { host, key, body }) };
}

/** The headers that the program reads, at a route that everybody may ask. */
function ofHeaders(host: string, key: string): ScanRequest {
  const names = [
    'User-Agent',
    'Referer',
    'X-Request-Id',
    'X-Forwarded-For',
    'Range',
    'If-None-Match',
    'X-Priority',
  ];
  const headers = names.map((name) => `${name}: 1*`);
  return { name: 'headers', places: names.length, text: textOf('GET', '/v1/me', { host, key, headers }) };
}

interface RequestParts {
  host: string;
  key: string;
  body?: string;
  headers?: string[];
}

function textOf(method: string, url: string, { host, key, body, headers = [] }: RequestParts): string {
  const lines = [`${method} ${url} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${key}`, ...headers];
  if (body) lines.push('Content-Type: application/json');
  return [...lines, '', body ?? ''].join('\r\n');
}
