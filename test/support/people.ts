import { randomUUID } from 'node:crypto';
import { mailTo } from './mail-folder.js';
import type { RunningApp } from './test-app.js';

export const PASSWORD = 'eleven purple tractors';
type Headers = Record<string, string>;
// Tests say what they expect of it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Body = any;

export interface Answer {
  status: number;
  body: Body;
  headers: globalThis.Headers;
}

/** What people do over HTTP: ask, log in, invite one another. */
export function peopleOf(app: RunningApp) {
  async function send(method: string, path: string, headers: Headers = {}, json?: unknown): Promise<Answer> {
    const response = await app.fetch(path, { method, headers, ...(json !== undefined && { json }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }

  const login = (email: string, password = PASSWORD) =>
    send('POST', '/v1/auth/login', {}, { email, password });

  /** Whether a credential is taken: the status of a look at one's own account. */
  const me = async (headers: Headers) => (await send('GET', '/v1/me', headers)).status;

  async function session(email: string, password = PASSWORD) {
    const { status, body } = await login(email, password);
    if (status !== 200) throw new Error(`The login was answered with ${status}`);
    return { headers: bearer(body.access_token), refreshToken: body.refresh_token as string };
  }

  /** Somebody new in the tenant of the administrator with these headers, who has accepted an invitation. */
  async function person(role = 'member', admin: Headers = app.admin) {
    const email = `${randomUUID()}@example.com`;
    const invited = await send('POST', '/v1/invitations', admin, { email, role });
    if (invited.status !== 201) throw new Error(`The invitation was answered with ${invited.status}`);
    const { token } = await mailTo(app, email, 'invited');
    const accepted = await send('POST', '/v1/auth/invitations/accept', {}, { token, password: PASSWORD });
    return { id: accepted.body.id as string, email, ...(await session(email)) };
  }

  return { send, login, me, session, person };
}

export const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
