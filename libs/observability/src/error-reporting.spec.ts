import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportBug, startErrorReporting, stopErrorReporting } from './error-reporting.js';
import { newContext, runInContext } from './request-context.js';

describe('error reporting', () => {
  const received: string[] = [];
  let server: Server;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push(body);
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('does nothing without a DSN', async () => {
    await startErrorReporting({ release: 'r', environment: 'test' });
    expect(() => reportBug(new Error('unheard'))).not.toThrow();
    await stopErrorReporting();
    expect(received).toEqual([]);
  });

  it('sends a bug with its type, stack and request, and without its message', async () => {
    const { port } = server.address() as AddressInfo;
    await startErrorReporting({
      dsn: `http://key@127.0.0.1:${port}/1`,
      release: 'navigator@1',
      environment: 'test',
    });
    runInContext(newContext({ requestId: 'request-7' }), () =>
      reportBug(new RangeError('value "Jane Doe, diabetes" is out of range')),
    );
    await stopErrorReporting();
    const sent = received.join('\n');
    expect(sent).toContain('RangeError');
    expect(sent).toContain('request-7');
    expect(sent).toContain('error-reporting.spec');
    expect(sent).not.toMatch(/Jane Doe|diabetes/);
  });
});
