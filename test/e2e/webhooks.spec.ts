import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { testApp, type TestApp } from '../support/test-app.js';

/** The whole program, and an endpoint of a tenant that is told how documents end. */

interface Message {
  headers: IncomingHttpHeaders;
  body: string;
}
interface Delivery {
  id: string;
  event: string;
  state: string;
  attempts: number;
  last_status: number | null;
}

let app: TestApp;
let endpoint: Server;
let url: string;
let messages: Message[];
let statuses: number[];

beforeAll(async () => {
  app = await testApp({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', WEBHOOK_POLL_MS: '50' });
  endpoint = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      messages.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/navigator`;
}, 60_000);

beforeEach(() => {
  messages = [];
  statuses = [];
});

afterAll(async () => {
  await app?.close();
  endpoint.close();
  endpoint.closeAllConnections();
}, 60_000);

async function call<T>(path: string, init: RequestInit & { json?: unknown } = {}): Promise<T> {
  const response = await app.fetch(path, { ...init, headers: { ...app.admin } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const register = (events?: string[]) =>
  call<{ id: string; secret: string }>('/v1/webhooks', { json: { url, ...(events && { events }) } });

const remove = (id: string) => call(`/v1/webhooks/${id}`, { method: 'DELETE' });

async function upload(content: string, filename: string): Promise<string> {
  const body = new FormData();
  body.append('file', new Blob([content]), filename);
  return (await call<{ id: string }>('/v1/documents', { method: 'POST', body })).id;
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(20);
  }
}

const deliveriesOf = (id: string) => call<{ items: Delivery[] }>(`/v1/webhooks/${id}/deliveries`);

function signatureOf(secret: string, { headers, body }: Message): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

describe('an endpoint of a tenant', () => {
  it('is told of a document that is ready, by a message that it can verify and that holds no text', async () => {
    const { id, secret } = await register();
    const documentId = await upload('# Plan\n\nThe plan pays for physiotherapy.', 'plan.md');
    const message = await until(() => messages[0]);
    expect(message.headers['webhook-signature']).toBe(signatureOf(secret, message));
    expect(JSON.parse(message.body)).toMatchObject({
      type: 'document.ready',
      data: { document_id: documentId, status: 'ready', passages: 1, reason_code: null },
    });
    expect(message.body).not.toMatch(/physiotherapy|plan\.md/);
    const [delivery] = (await until(async () => {
      const { items } = await deliveriesOf(id);
      return items[0]?.state === 'delivered' ? items : undefined;
    }))!;
    expect(delivery).toMatchObject({ event: 'document.ready', attempts: 1, last_status: 204 });
    await remove(id);
  }, 60_000);

  it('is told of what it asked for only', async () => {
    const { id } = await register(['document.failed']);
    await upload('# Other plan\n\nThe plan pays for an MRI scan.', 'other.md');
    const broken = await upload('%PDF-1.7\nnothing of a PDF', 'broken.pdf');
    const message = await until(() => messages[0]);
    expect(JSON.parse(message.body)).toMatchObject({
      type: 'document.failed',
      data: { document_id: broken, reason_code: 'corrupt-file' },
    });
    expect((await deliveriesOf(id)).items).toHaveLength(1);
    await remove(id);
  }, 60_000);

  it('that fails is told again under the same id, and once more when that is asked for', async () => {
    const { id } = await register();
    statuses = [500];
    await call(`/v1/webhooks/${id}/test`, { json: {} });
    await until(() => messages[1]);
    expect(messages[1]!.headers['webhook-id']).toBe(messages[0]!.headers['webhook-id']);
    const deliveryId = messages[0]!.headers['webhook-id'] as string;
    await until(async () => ((await deliveriesOf(id)).items[0]?.state === 'delivered' ? true : undefined));
    await call(`/v1/webhooks/${id}/deliveries/${deliveryId}/replay`, { json: {} });
    await until(() => messages[2]);
    expect(messages[2]!.headers['webhook-id']).toBe(deliveryId);
    await remove(id);
  }, 60_000);

  it('that says that it is gone hears nothing more until somebody enables it', async () => {
    const { id } = await register();
    statuses = [410];
    await call(`/v1/webhooks/${id}/test`, { json: {} });
    const gone = await until(async () => {
      const body = await call<{ enabled: boolean; disabled_reason: string | null }>(`/v1/webhooks/${id}`);
      return body.enabled ? undefined : body;
    });
    expect(gone.disabled_reason).toMatch(/410/);
    await call(`/v1/webhooks/${id}`, { method: 'PATCH', json: { enabled: true } });
    await call(`/v1/webhooks/${id}/test`, { json: {} });
    await until(() => messages[1]);
    await remove(id);
  }, 60_000);

  it('signs with its new secret once that was made', async () => {
    const { id, secret } = await register();
    const rotated = await call<{ secret: string }>(`/v1/webhooks/${id}/rotate-secret`, { json: {} });
    expect(rotated.secret).not.toBe(secret);
    await call(`/v1/webhooks/${id}/test`, { json: {} });
    const message = await until(() => messages[0]);
    expect(message.headers['webhook-signature']).toBe(signatureOf(rotated.secret, message));
    await remove(id);
  }, 60_000);

  it.each([
    ['ftp://example.com/hook', 400],
    ['http://user:secret@example.com/hook', 400],
    ['nonsense', 400],
  ])('cannot be %s', async (address, status) => {
    const response = await app.fetch('/v1/webhooks', { json: { url: address }, headers: app.admin });
    expect(response.status).toBe(status);
  });

  it('is shown with its secret when it is made, and never again', async () => {
    const { id, secret } = await register();
    expect(secret).toMatch(/^whsec_/);
    expect(JSON.stringify(await call('/v1/webhooks'))).not.toContain(secret);
    expect(JSON.stringify(await call(`/v1/webhooks/${id}`))).not.toContain('secret');
    await remove(id);
    const response = await app.fetch(`/v1/webhooks/${id}`, { headers: app.admin });
    expect(response.status).toBe(404);
  });
});
