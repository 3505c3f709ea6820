import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { MAX_DEADLINE_MS } from '#libs/http';
import { createAdapter } from './app.setup.js';

describe('the HTTP server', () => {
  it('closes silent sockets after the longest deadline, and gives headers little time and uploads any', async () => {
    const fastify = createAdapter({}).getInstance();
    try {
      const { timeout, headersTimeout, requestTimeout } = fastify.server;
      expect(timeout).toBeGreaterThan(MAX_DEADLINE_MS);
      expect({ headersTimeout, requestTimeout }).toEqual({ headersTimeout: 8_000, requestTimeout: 0 });
    } finally {
      await fastify.close();
    }
  });

  it.each([
    [undefined, '127.0.0.1'],
    ['10.0.0.0/8', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7'],
    ['127.0.0.1, 198.51.100.0/24', '203.0.113.9'],
  ])('believes X-Forwarded-For from those only whom the operator names: %s', async (trustProxy, address) => {
    const fastify = createAdapter({ trustProxy }).getInstance();
    fastify.get('/', ({ ip }) => ip);
    const { body } = await fastify.inject({
      url: '/',
      headers: {
        'x-forwarded-for': '203.0.113.9, 198.51.100.7',
        'x-real-ip': '192.0.2.1',
        forwarded: 'for=192.0.2.2',
      },
    });
    expect(body).toBe(address);
  });

  it('closes a socket whose body does not go on', async () => {
    const adapter = createAdapter({});
    const fastify = adapter.getInstance();
    fastify.post('/', () => 'whole');
    try {
      await fastify.listen({ port: 0, host: '127.0.0.1' });
      fastify.server.setTimeout(20); // Instead of minutes.
      const { port } = fastify.server.address() as AddressInfo;
      const socket = connect(port, '127.0.0.1');
      socket.write(
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a":',
      );
      socket.resume();
      await once(socket, 'close');
      expect(socket.bytesRead).toBe(0);
    } finally {
      await fastify.close();
    }
  });
});
