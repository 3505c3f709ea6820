import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FatalFailure, TransientFailure } from '#libs/errors';
import { AllowedAddresses } from './addresses.js';
import { openUrl, type OpenUrlOptions } from './open-url.js';
import {
  AddressNotAllowed,
  HostNotAllowed,
  TooManyRedirects,
  UrlNotAllowed,
  UrlRefused,
  UrlTooLarge,
} from './outbound.errors.js';

let server: Server;
let port: number;
let answer: RequestListener;
let asked: string[];
const NOTHING = new AllowedAddresses();
/** Only this one address, so that any other of the machine is as forbidden as everybody else's. */
const HERE = new AllowedAddresses(['127.0.0.1/32']);

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answer = (request, response) => {
    asked.push(request.url!);
    response.end('a file');
  };
});

const open = (url: string, options: Partial<OpenUrlOptions> = {}) =>
  openUrl(url, {
    allowed: HERE,
    maxBytes: 1_000,
    maxRedirects: 3,
    idleMs: 5_000,
    signal: new AbortController().signal,
    resolve: async () => ['127.0.0.1'],
    ...options,
  });

async function read(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const redirectTo =
  (location: string): RequestListener =>
  (_, response) =>
    response.writeHead(302, { location }).end();

describe('an address that is fetched', () => {
  it('gives its content, with the name and type that its server says', async () => {
    answer = (_, response) =>
      response
        .writeHead(200, {
          'content-type': 'Text/Plain; charset=utf-8',
          'content-disposition': 'attachment; filename="plan.txt"',
        })
        .end('a file');
    const opened = await open(`http://files.example:${port}/x`);
    expect(opened).toMatchObject({ suggestedName: 'plan.txt', contentType: 'text/plain' });
    expect(await read(opened.content)).toBe('a file');
  });

  it.each([
    'ftp://example.com/x',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://user:password@example.com/',
    'http://user@example.com/',
    'not an address',
    'http://',
  ])('is one of the web, without credentials: %s', async (url) => {
    await expect(open(url)).rejects.toThrow(UrlNotAllowed);
  });

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[fe80::1]/',
    'http://①②⑦.⓪.⓪.①/',
    'https://127.0.0.1/',
  ])('is public in whatever way it is written: %s', async (url) => {
    await expect(open(url, { allowed: NOTHING })).rejects.toThrow(AddressNotAllowed);
  });

  it('is refused when any address of its name is not allowed, and nobody is asked', async () => {
    const resolve = async () => ['127.0.0.1', '10.0.0.1'];
    await expect(open(`http://files.example:${port}/`, { resolve })).rejects.toThrow(AddressNotAllowed);
    await expect(open(`http://localhost:${port}/`, { allowed: NOTHING })).rejects.toThrow(AddressNotAllowed);
    expect(asked).toEqual([]);
  });

  it('is connected to where it was checked, though its name then says something else', async () => {
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    let lookups = 0;
    const resolve = async () => answers[lookups++]!;
    const opened = await open(`http://rebinding.example:${port}/`, { resolve });
    expect(await read(opened.content)).toBe('a file');
    expect(lookups).toBe(1);
  });

  it('is checked again when it leads on to the same name', async () => {
    answer = redirectTo(`http://rebinding.example:${port}/next`);
    const answers = [['127.0.0.1'], ['169.254.169.254']];
    const resolve = async () => answers.shift()!;
    await expect(open(`http://rebinding.example:${port}/`, { resolve })).rejects.toThrow(AddressNotAllowed);
  });

  it.each(['http://169.254.169.254/latest', '//10.0.0.1/', 'http://2852039166/'])(
    'does not lead to where it could not begin: %s',
    async (location) => {
      answer = redirectTo(location);
      await expect(open(`http://files.example:${port}/`)).rejects.toThrow(AddressNotAllowed);
    },
  );

  it('is asked on hosts that the operator names alone, also where it leads on', async () => {
    const allowed = new AllowedAddresses(['127.0.0.1/32'], ['files.example']);
    await expect(open(`http://other.example:${port}/x`, { allowed })).rejects.toThrow(HostNotAllowed);
    expect(asked).toEqual([]);
    answer = redirectTo(`http://other.example:${port}/y`);
    await expect(open(`http://files.example:${port}/x`, { allowed })).rejects.toThrow(HostNotAllowed);
    answer = (_, response) => response.end('a file');
    expect(await read((await open(`http://files.example:${port}/x`, { allowed })).content)).toBe('a file');
  });

  it('does not lead out of the web', async () => {
    answer = redirectTo('file:///etc/passwd');
    await expect(open(`http://files.example:${port}/`)).rejects.toThrow(UrlNotAllowed);
  });

  it('may lead on a few times, also by a path alone', async () => {
    answer = (request, response) => {
      asked.push(request.url!);
      const step = Number(request.url!.slice(1));
      if (step < 3) response.writeHead(307, { location: `${step + 1}` }).end();
      else response.end('found');
    };
    const opened = await open(`http://files.example:${port}/0`);
    expect(opened.url.pathname).toBe('/3');
    expect(await read(opened.content)).toBe('found');
    await expect(open(`http://files.example:${port}/0`, { maxRedirects: 2 })).rejects.toThrow(
      TooManyRedirects,
    );
  });
});

describe('a server that fails', () => {
  it.each([404, 403, 204, 206])('is taken at its word: %d', async (status) => {
    answer = (_, response) => response.writeHead(status).end();
    await expect(open(`http://files.example:${port}/`)).rejects.toThrow(UrlRefused);
  });

  it.each([500, 503, 429])('may be better later: %d', async (status) => {
    answer = (_, response) => response.writeHead(status).end();
    await expect(open(`http://files.example:${port}/`)).rejects.toThrow(TransientFailure);
  });

  it('is not unpacked for: what it compressed is refused', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    await expect(open(`http://files.example:${port}/`)).rejects.toThrow(UrlRefused);
  });

  it('sends no more than is allowed, whether it says so before or not', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-length': '1001' }).end('x'.repeat(1_001));
    await expect(open(`http://files.example:${port}/`)).rejects.toThrow(UrlTooLarge);
    answer = (_, response) => {
      response.write('x'.repeat(900));
      response.end('x'.repeat(900));
    };
    const opened = await open(`http://files.example:${port}/`);
    await expect(read(opened.content)).rejects.toThrow(UrlTooLarge);
  });

  it('is left when it is silent, before its answer and within it', async () => {
    answer = () => undefined;
    await expect(open(`http://files.example:${port}/`, { idleMs: 20 })).rejects.toThrow(TransientFailure);
    answer = (_, response) => response.write('the beginning');
    const opened = await open(`http://files.example:${port}/`, { idleMs: 20 });
    await expect(read(opened.content)).rejects.toThrow(TransientFailure);
  });

  it('is left when the time is up, though it is never silent', async () => {
    const dripping: NodeJS.Timeout[] = [];
    answer = (_, response) => {
      response.flushHeaders();
      dripping.push(setInterval(() => response.write('x'), 5));
    };
    const timeUp = new AbortController();
    const opened = await open(`http://files.example:${port}/`, { signal: timeUp.signal });
    const reason = new Error('time is up');
    setTimeout(() => timeUp.abort(reason), 20);
    await expect(read(opened.content)).rejects.toBe(reason);
    dripping.forEach((timer) => clearInterval(timer));
  });

  it('breaks off, or is not there at all', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => response.destroy());
    };
    const opened = await open(`http://files.example:${port}/`);
    await expect(read(opened.content)).rejects.toThrow(TransientFailure);
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const free = (closed.address() as AddressInfo).port;
    await new Promise((resolve) => closed.close(resolve));
    await expect(open(`http://files.example:${free}/`)).rejects.toThrow(FatalFailure);
  });
});
