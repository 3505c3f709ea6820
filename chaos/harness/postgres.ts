import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres, withClient } from '#libs/database';

const LOCAL_PORT = /127\.0\.0\.1:(\d+)/;

/** A real PostgreSQL of its own, which can be killed and started again at the same address. Writes are durable. */
export class PostgresServer {
  private gone = Promise.withResolvers<void>();

  private constructor(
    private readonly dataDir: string,
    private handle: EmbeddedPostgres,
    private readonly log: (line: string) => void,
  ) {}

  static async start(dataDir: string, log: (line: string) => void): Promise<PostgresServer> {
    const gone = Promise.withResolvers<void>();
    const handle = await startEmbeddedPostgres({ dataDir, log, onExit: () => gone.resolve() });
    const server = new PostgresServer(dataDir, handle, log);
    server.gone = gone;
    return server;
  }

  /** As the owner, past any proxy. */
  get url(): string {
    return this.handle.url;
  }

  /** The main process and everything it began, at once. Resolves when the data folder is free. */
  async kill(): Promise<void> {
    process.kill(this.handle.pid, 'SIGKILL');
    await this.gone.promise;
  }

  /** In order: connections are closed properly. */
  stop(): Promise<void> {
    return this.handle.stop();
  }

  /** After `kill` or `stop`; at the same address. Resolves when it takes connections. */
  async startAgain(): Promise<void> {
    const port = Number(LOCAL_PORT.exec(this.handle.url)![1]);
    this.gone = Promise.withResolvers<void>();
    const { dataDir, log } = this;
    this.handle = await startEmbeddedPostgres({ dataDir, port, log, onExit: () => this.gone.resolve() });
  }

  /** One statement as the owner, who writes even while the server is told to be read-only. */
  async sql<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.session(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** A statement that must come from outside of the program's database. */
  async maintain(text: string): Promise<void> {
    const url = Object.assign(new URL(this.handle.url), { pathname: '/postgres' }).href;
    await withClient(url, (client) => client.query(text));
  }

  /** A session of the owner's. */
  async session<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** To be ended by the caller; for sessions that hold something. */
  async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.handle.url,
      application_name: 'chaos',
      options: '-c default_transaction_read_only=off',
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Processes of the server that serve the program. */
  async programBackends(): Promise<number[]> {
    const rows = await this.sql<{ pid: number }>(
      `select pid from pg_stat_activity where usename like '%\\_login' order by backend_start`,
    );
    return rows.map(({ pid }) => pid);
  }

  /** Kills one session of the program's by SIGKILL, upon which the server ends all and recovers. */
  async killBackend(): Promise<void> {
    const [pid] = await this.programBackends();
    if (pid === undefined) throw new Error('The program has no session that could be killed');
    process.kill(pid, 'SIGKILL');
  }

  /** The login of the program: the owner's database with `_login`. */
  async programRole(): Promise<string> {
    const [row] = await this.sql<{ rolname: string }>(
      `select rolname from pg_roles where rolname like '%\\_login'`,
    );
    return row!.rolname;
  }

  /** For the search for secrets. */
  async ownerPassword(): Promise<string> {
    return (await readFile(join(this.dataDir, 'postgres.password'), 'utf8')).trim();
  }
}
