import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { testApp, type TestApp } from '../support/test-app.js';

const BOUNDARY = 'boundary';
const head = [
  `--${BOUNDARY}`,
  'content-disposition: form-data; name="file"; filename="plan.txt"',
  'content-type: text/plain',
  '',
  'Your deductible is $500.',
].join('\r\n');
const tail = `\r\nYour copay is $30.\r\n--${BOUNDARY}--\r\n`;

describe('stopping', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await testApp();
  });
  afterEach(() => app.close());

  /** Returns when the server has read the request's head, which is what it says `100 Continue` to. */
  async function beginUpload(): Promise<ClientRequest> {
    const upload = request(`${app.url}/v1/documents`, {
      method: 'POST',
      headers: {
        ...app.admin,
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        expect: '100-continue',
      },
    });
    upload.flushHeaders();
    await once(upload, 'continue');
    upload.write(head);
    return upload;
  }

  const untilNotReady = async () => {
    for (;;) {
      const status = await app.fetch('/health/ready').then(
        (response) => response.status,
        () => 0,
      );
      if (status !== 200) return;
    }
  };

  it('finishes an upload that is under way and takes no new request', async () => {
    const upload = await beginUpload();
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    const stopped = app.program.stop();
    await untilNotReady();
    upload.end(tail);
    const [response] = await answered;
    expect(response.statusCode).toBe(202);
    response.resume();
    await stopped;
    await expect(app.fetch('/health/live')).rejects.toThrow();
  });

  it('tells the readers of waiting event streams to come back elsewhere', async () => {
    const form = new FormData();
    form.append('file', new File(['Your deductible is $500.'], 'plan.txt'));
    const uploaded = await app.fetch('/v1/documents', { method: 'POST', body: form, headers: app.admin });
    const { id } = (await uploaded.json()) as { id: string };
    const events = await app.fetch(`/v1/documents/${id}/events`, { headers: app.admin });
    const text = events.text();
    await app.program.stop();
    expect(await text).toMatch(/event: (error|done)\n[^]*\n\n$/);
  });

  it('does not wait for a connection that never asked for anything', async () => {
    const { hostname, port } = new URL(app.url);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    await app.program.stop();
    if (!silent.closed) await once(silent, 'close');
  });

  it('does nothing the second time', async () => {
    await app.program.stop();
    await expect(app.program.stop()).resolves.toBeUndefined();
  });
});
