import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';

/** The proxy of the fault tests, in front of a server that sends back what it gets. */
describe('the fault proxy', () => {
  let server: Server;
  let received: string;
  let proxy: FaultProxy;
  let clients: Socket[];

  beforeEach(async () => {
    received = '';
    clients = [];
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        received += bytes.toString();
        socket.write(bytes);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    proxy = await startFaultProxy({ host: '127.0.0.1', port }, { seed: 7 });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.close();
    server.close();
  });

  interface Client {
    socket: Socket;
    heard(): string;
    pieces: number[];
    hears(text: string): Promise<void>;
    error: Promise<NodeJS.ErrnoException>;
  }

  async function client(): Promise<Client> {
    const socket = connect(proxy.port, '127.0.0.1');
    clients.push(socket);
    const error = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    let heard = '';
    const pieces: number[] = [];
    socket.on('data', (bytes) => {
      heard += bytes.toString();
      pieces.push(bytes.length);
    });
    await Promise.race([once(socket, 'connect'), error.then((reason) => Promise.reject(reason))]);
    const hears = async (text: string) => {
      while (heard !== text) await once(socket, 'data');
    };
    return { socket, heard: () => heard, pieces, hears, error };
  }

  it('passes everything on, also the ends, when nothing is wrong', async () => {
    const { socket, hears } = await client();
    const text = 'x'.repeat(3_000_000);
    socket.end(text);
    await hears(text);
    await once(socket, 'close');
    expect(proxy.open).toBe(0);
    expect(proxy.counters).toMatchObject({ connects: 1, resets: 0, bytesToServer: 3_000_000 });
  });

  it('delays each piece, keeps their order, and does not add delays up', async () => {
    await proxy.inject({ toServer: { latencyMs: 60, jitterMs: 20 }, toClient: { latencyMs: 60 } });
    const { socket, hears } = await client();
    const start = performance.now();
    for (let i = 0; i < 10; i++) socket.write(String(i));
    await hears('0123456789');
    expect(performance.now() - start).toBeGreaterThan(115);
  });

  it('limits the bandwidth', async () => {
    await proxy.inject({ toClient: { bytesPerSecond: 10_000 } });
    const { socket, hears } = await client();
    const start = performance.now();
    socket.write('x'.repeat(2_000));
    await hears('x'.repeat(2_000));
    expect(performance.now() - start).toBeGreaterThan(190);
  });

  it('cuts what is sent into slices', async () => {
    await proxy.inject({ toClient: { slice: { bytes: 3, delayMs: 5 } } });
    const { socket, hears, pieces } = await client();
    socket.write('0123456789');
    await hears('0123456789');
    expect(Math.max(...pieces)).toBeLessThan(10);
  });

  it('swallows bytes on connections that are open, and passes new ones on after the healing', async () => {
    const { socket, hears, heard } = await client();
    socket.write('a');
    await hears('a');
    await proxy.inject({ toServer: { hang: true } });
    socket.write('b');
    const other = await client();
    other.socket.write('c');
    await until(() => proxy.counters.bytesSwallowed === 2);
    await proxy.heal();
    socket.write('d');
    await hears('ad');
    expect([heard(), other.heard(), received]).toEqual(['ad', '', 'ad']);
  });

  it('accepts and never answers', async () => {
    await proxy.inject({ connect: 'half-open' });
    const { socket, heard } = await client();
    socket.write('a');
    await proxy.heal();
    const other = await client();
    other.socket.write('b');
    await other.hears('b');
    expect([heard(), received]).toEqual(['', 'b']);
  });

  it('refuses connections as if nobody listened, and takes them again on the same port', async () => {
    const { port } = proxy;
    const { socket, hears } = await client();
    await proxy.inject({ connect: 'refuse' });
    await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    socket.write('still open');
    await hears('still open');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await client();
  });

  it('resets new connections, and on demand the open ones', async () => {
    const { error } = await client();
    proxy.resetConnections();
    expect((await error).code).toBe('ECONNRESET');
    await proxy.inject({ connect: 'reset' });
    const refused = await client().catch((reason: NodeJS.ErrnoException) => ({
      error: Promise.resolve(reason),
    }));
    expect((await refused.error).code).toBe('ECONNRESET');
  });

  it('resets a connection after so many bytes', async () => {
    await proxy.inject({ toClient: { dropAfterBytes: 5 } });
    const { socket, heard, error } = await client();
    socket.write('0123456789');
    expect((await error).code).toBe('ECONNRESET');
    expect(heard()).toBe('01234');
  });

  it('turns bits over', async () => {
    await proxy.inject({ toServer: { corrupt: 1 } });
    const { socket, heard } = await client();
    socket.write('aaaaaaaa');
    await once(socket, 'data');
    expect(heard()).toHaveLength(8);
    expect(heard()).not.toBe('aaaaaaaa');
  });

  it('resets before a pattern is passed on, also one that arrives in two pieces', async () => {
    await proxy.inject({ toServer: { resetOn: { bytes: 'COMMIT', when: 'before' } } });
    const { socket, hears, error } = await client();
    socket.write('insert;COM');
    await hears('insert;COM');
    socket.write('MIT');
    expect((await error).code).toBe('ECONNRESET');
    expect(received).toBe('insert;COM');
  });

  it('resets after a pattern was passed on and answered, once and after those to skip', async () => {
    await proxy.inject({ toServer: { resetOn: { bytes: 'COMMIT', when: 'after', skip: 1 } } });
    const { socket, hears, heard, error } = await client();
    socket.write('COMMIT 1');
    await hears('COMMIT 1');
    socket.write('COMMIT 2');
    expect((await error).code).toBe('ECONNRESET');
    expect([heard(), received]).toEqual(['COMMIT 1', 'COMMIT 1COMMIT 2']);
    const next = await client();
    next.socket.write('COMMIT 3');
    await next.hears('COMMIT 3');
  });

  it('afflicts a share of the connections, the same with the same seed', async () => {
    await proxy.inject({ connect: 'reset', probability: 0.5 });
    for (let i = 0; i < 40; i++) await client().catch(() => undefined);
    await until(() => proxy.open + proxy.counters.resets === 40);
    expect(proxy.counters.resets).toBe(20);
    expect(proxy.busiestSecond()).toBeGreaterThan(0);
    expect(proxy.busiestSecond(performance.now())).toBe(0);
  });

  it('keeps its port when its target changes', async () => {
    const other = createServer((socket) => socket.on('error', () => undefined).end('other')).listen(
      0,
      '127.0.0.1',
    );
    await once(other, 'listening');
    proxy.target = { host: '127.0.0.1', port: (other.address() as AddressInfo).port };
    const { hears } = await client();
    await hears('other');
    other.close();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
