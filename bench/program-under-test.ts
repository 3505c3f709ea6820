import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  type ProgramProcess,
  spawnProgram,
  type SpawnOptions,
} from '../test/support/program-process.js';

const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };
const RATES = ['AUTH', 'UPLOAD', 'QUESTION', 'SEARCH', 'READ', 'WRITE'];

export class Refused extends Error {}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** The real, built program on its embedded database, in a process and a folder of its own. */
export class ProgramUnderTest {
  private process: ProgramProcess;
  private token = '';

  private constructor(
    private readonly dataDir: string,
    private readonly port: number,
    private readonly environment: Record<string, string>,
    private readonly options: SpawnOptions,
  ) {
    this.process = this.spawn();
  }

  static async start(
    environment: Record<string, string> = {},
    options: SpawnOptions = {},
  ): Promise<ProgramUnderTest> {
    const dataDir = await mkdtemp(join(tmpdir(), 'navigator-bench-'));
    const program = new ProgramUnderTest(dataDir, await freePort(), environment, options);
    await program.ready();
    return program;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.process.child.pid!;
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  /** Kills it by SIGKILL and starts it again. Returns the milliseconds from the kill to ready. */
  async killAndRestart(): Promise<number> {
    this.process.child.kill('SIGKILL');
    await this.process.exit;
    const killedMs = performance.now();
    this.process = this.spawn();
    await this.ready();
    return performance.now() - killedMs;
  }

  async stop(): Promise<void> {
    this.process.child.kill('SIGTERM');
    await this.process.exit;
    await rm(this.dataDir, { recursive: true, force: true });
  }

  upload(content: string | Uint8Array<ArrayBuffer>, filename: string): Promise<{ id: string } | undefined> {
    const body = new FormData();
    body.append('file', new Blob([content]), filename);
    return this.request('/v1/documents', { method: 'POST', body });
  }

  /** All items of a list. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page<T> | undefined = await this.request(
        `${path}?limit=100${cursor ? `&cursor=${cursor}` : ''}`,
      );
      if (!page) continue;
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    return items;
  }

  /** undefined when the program is away or fails, so that the request has to be sent again. */
  async request<T>(path: string, init: RequestInit = {}): Promise<T | undefined> {
    try {
      const response = await fetch(`${this.url}${path}`, this.withHeaders(init));
      if (response.ok) return (await response.json()) as T;
      await response.arrayBuffer();
      if (response.status === 401) await this.login();
      else if (response.status < 500 && response.status !== 429)
        throw new Refused(`${path} answered ${response.status}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    return undefined;
  }

  /** The answer whatever it is, for those who want to see refusals too. */
  async send(
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}${path}`, this.withHeaders(init));
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  private withHeaders(init: RequestInit): RequestInit {
    return { ...init, headers: { ...this.headers, ...(init.headers as Record<string, string>) } };
  }

  private async ready(): Promise<void> {
    await this.process.url;
    await this.login();
  }

  /** For an access token that lives as long as any, which it returns. */
  async login(): Promise<string> {
    const response = await fetch(`${this.url}/v1/auth/login`, {
      method: 'POST',
      body: JSON.stringify(ADMIN),
      headers: { 'content-type': 'application/json' },
    });
    return (this.token = ((await response.json()) as { access_token: string }).access_token);
  }

  private spawn(): ProgramProcess {
    return spawnProgram(
      {
        DATA_DIR: this.dataDir,
        PORT: String(this.port),
        LOG_LEVEL: 'error',
        BOOTSTRAP_ADMIN_EMAIL: ADMIN.email,
        BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
        ...Object.fromEntries(RATES.map((name) => [`RATE_${name}_PER_MINUTE`, '1000000'])),
        ...this.environment,
      },
      this.options,
    );
  }
}
