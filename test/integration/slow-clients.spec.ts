import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Admission, Pressure, Quotas, rateSection, registerAdmission } from '#libs/http';
import { Gate } from '../../libs/http/src/admission/gate.js';
import { createAdapter } from '../../apps/api/src/app.setup.js';

const RATES = {
  authPerMinute: 1_000,
  strangerPerMinute: 1_000,
  uploadPerMinute: 1_000,
  questionPerMinute: 1_000,
  searchPerMinute: 1_000,
  readPerMinute: 1_000,
  writePerMinute: 1_000,
};

describe('a client that takes its time', () => {
  let fastify: FastifyInstance;
  beforeEach(async () => {
    fastify = createAdapter({}).getInstance() as unknown as FastifyInstance;
    const pressure = new Pressure([], { loopDelayMs: 100 });
    const admission = new Admission(
      new Quotas(rateSection.schema.parse(RATES)),
      pressure,
      new Gate({ concurrency: 1, maxWaitMs: 1_000 }),
    );
    registerAdmission(fastify, admission, { bodyMs: 100, discardMs: 100 });
    fastify.post('/', (request) => request.body);
    fastify.addContentTypeParser('multipart/form-data', (_request, payload, done) => {
      let length = 0;
      payload.on('data', (chunk: Buffer) => (length += chunk.length));
      payload.on('end', () => done(null, { length }));
    });
    await fastify.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => fastify.close());

  function open(text: string): Socket & { text: string } {
    const { port } = fastify.server.address() as AddressInfo;
    const socket = Object.assign(connect(port, '127.0.0.1'), { text: '' });
    socket.on('data', (chunk: Buffer) => (socket.text += chunk.toString())).on('error', () => undefined);
    socket.write(text);
    return socket;
  }
  const head = (type: string, length: number) =>
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;

  it('is told 408 and shown out when the rest of its JSON does not come', async () => {
    const socket = open(`${head('application/json', 10)}{"a":`);
    const trickle = setInterval(() => socket.write(' '), 700);
    await once(socket, 'close');
    clearInterval(trickle);
    expect(socket.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(socket.text).toContain('body-too-slow');
    expect(socket.text).toMatch(/connection: close/i);
  });

  it('may take as long as it needs for an upload', async () => {
    const socket = open(`${head('multipart/form-data', 4)}ab`);
    const quick = open(`${head('application/json', 10)}{"a":`);
    await once(quick, 'close');
    socket.write('cd');
    await once(socket, 'data');
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 [^]*{"length":4}$/);
    socket.destroy();
  });

  it('loses its connection when its headers do not come', async () => {
    fastify.server.headersTimeout = 50; // Instead of ten seconds.
    const silent = open('');
    const slow = open('GET / HTTP/1.1\r\nHost: a\r\n');
    await Promise.all([once(silent, 'close'), once(slow, 'close')]);
    expect(slow.text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('does not hold up one that is done', async () => {
    const socket = open(`${head('application/json', 7)}{"a":1}`);
    await once(socket, 'data');
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 [^]*{"a":1}$/);
    // Long after its body's time would have been up, the connection serves again.
    await once(open(`${head('application/json', 10)}{"a":`), 'close');
    socket.text = '';
    socket.write(`${head('application/json', 7)}{"b":2}`);
    await once(socket, 'data');
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});
