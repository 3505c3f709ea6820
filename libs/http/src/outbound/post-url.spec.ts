import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AllowedAddresses } from './addresses.js';
import { AddressNotAllowed, UrlNotAllowed } from './outbound.errors.js';
import { postUrl } from './post-url.js';

let server: Server;
let url: string;
let answer: { status: number; headers?: Record<string, string> };
let received: { request: IncomingMessage; body: string }[];

beforeEach(async () => {
  answer = { status: 204 };
  received = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ request, body });
      response.writeHead(answer.status, answer.headers).end('anything');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const options = (networks: string[] = ['127.0.0.0/8']) => ({
  allowed: new AllowedAddresses(networks),
  idleMs: 5_000,
  signal: AbortSignal.timeout(10_000),
});

describe('a message to an address that a stranger gave', () => {
  it('arrives with its headers and its body, whole', async () => {
    const headers = { 'content-type': 'application/json', 'webhook-id': 'message-1' };
    expect(await postUrl(url, { headers, body: '{"text":"größer"}' }, options())).toEqual({ status: 204 });
    expect(received[0]!.body).toBe('{"text":"größer"}');
    expect(received[0]!.request).toMatchObject({ method: 'POST', url: '/hook' });
    expect(received[0]!.request.headers).toMatchObject(headers);
  });

  it('is answered with the status whatever that is, and with the pause that was asked for', async () => {
    answer = { status: 503, headers: { 'retry-after': '7' } };
    expect(await postUrl(url, { headers: {}, body: '{}' }, options())).toEqual({
      status: 503,
      retryAfterMs: 7_000,
    });
  });

  it('does not follow to another address', async () => {
    answer = { status: 307, headers: { location: 'http://169.254.169.254/' } };
    expect((await postUrl(url, { headers: {}, body: '{}' }, options())).status).toBe(307);
    expect(received).toHaveLength(1);
  });

  it.each([
    ['the machine itself', () => url],
    ['a name that leads to it', () => url.replace('127.0.0.1', 'localhost')],
    ['what clouds tell their machines', () => 'http://169.254.169.254/latest'],
  ])('does not reach %s unless that is allowed', async (_, address) => {
    const sent = postUrl(address(), { headers: {}, body: '{}' }, options([]));
    await expect(sent).rejects.toThrow(AddressNotAllowed);
    expect(received).toEqual([]);
  });

  it('does not go to what is no address of the web', async () => {
    await expect(postUrl('file:///etc/passwd', { headers: {}, body: '' }, options())).rejects.toThrow(
      UrlNotAllowed,
    );
  });
});
