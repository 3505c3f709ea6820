import { MetricsPage } from './metrics-page.js';
import type { Replica } from './replica.js';

export const OPERATOR = { email: 'operator@example.com', password: 'four words of an operator' };

export interface LevelPage {
  level: string;
  capabilities: Record<string, { level: string; reasons?: string[] }>;
}

/** Whoever runs the installation: looks at its pages, with a key that was made once. */
export class Operator {
  private constructor(readonly apiKey: string) {}

  static async login(url: string): Promise<Operator> {
    const login = await fetch(`${url}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify(OPERATOR),
      headers: { 'content-type': 'application/json' },
    });
    const { access_token } = (await login.json()) as { access_token: string };
    const created = await fetch(`${url}/v1/api-keys`, {
      method: 'POST',
      body: JSON.stringify({ name: 'chaos' }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${access_token}` },
    });
    return new Operator(((await created.json()) as { key: string }).key);
  }

  /** undefined when it could not be had. */
  async get<T>(replica: Replica, path: string): Promise<T | undefined> {
    const response = await this.fetch(replica, path);
    if (!response?.ok) return undefined;
    return (await response.json().catch(() => undefined)) as T | undefined;
  }

  async metrics(replica: Replica): Promise<MetricsPage | undefined> {
    const response = await this.fetch(replica, '/metrics');
    return response?.ok ? new MetricsPage(await response.text()) : undefined;
  }

  levels(replica: Replica): Promise<LevelPage | undefined> {
    return this.get<LevelPage>(replica, '/health/level');
  }

  fetch(replica: Replica, path: string, init: RequestInit = {}): Promise<Response | undefined> {
    const headers = { authorization: `Bearer ${this.apiKey}`, ...init.headers };
    const signal = AbortSignal.timeout(LIMIT_MS);
    return fetch(`${replica.url}${path}`, { ...init, headers, signal }).catch(() => undefined);
  }
}

const LIMIT_MS = 5_000;
