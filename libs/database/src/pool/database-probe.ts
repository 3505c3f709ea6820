import { gateOf } from './open-pool.js';
import { PooledClient } from './pooled-client.js';

/** Both together stay below the two seconds that a health check waits. */
const CONNECT_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 800;

/**
 * Asks the database whether it is there, on a connection of its own: the pool may be in use to the last, and the
 * circuit open. Callers who come together share one question.
 */
export class DatabaseProbe {
  private client?: PooledClient;
  private question?: Promise<void>;

  constructor(private readonly url: string) {}

  /** @throws whatever is wrong, within two seconds */
  ping(): Promise<void> {
    this.question ??= this.ask().finally(() => (this.question = undefined));
    return this.question;
  }

  async close(): Promise<void> {
    await this.question?.catch(() => undefined);
    await this.client?.end();
  }

  private async ask(): Promise<void> {
    // A connection from before the server went away says nothing about the server that is there now.
    if (this.client && (await this.answers(this.client).catch(() => false))) return;
    const client = await this.connect();
    await this.answers(client);
  }

  private async answers(client: PooledClient): Promise<boolean> {
    try {
      await client.query('select 1');
      return true;
    } catch (error) {
      this.drop(client);
      throw error;
    }
  }

  private async connect(): Promise<PooledClient> {
    const client = new PooledClient({
      connectionString: this.url,
      application_name: 'navigator-probe',
      gate: gateOf(this.url),
      keepAlive: true,
      pipeline: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    client.answerWithinMs = ANSWER_TIMEOUT_MS;
    client.on('error', () => this.drop(client));
    await client.connect();
    this.client = client;
    return client;
  }

  private drop(client: PooledClient): void {
    client.destroy();
    if (this.client === client) this.client = undefined;
  }
}
