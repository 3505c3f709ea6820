import type { Socket } from 'node:net';
import pg, { type ClientConfig } from 'pg';
import type { ConnectionGate } from './connection-gate.js';

/** What pg 8.23 has and does not declare. */
interface Undeclared {
  connectionParameters: { query_timeout?: number };
  processID: number | null;
  secretKey: number | null;
  sslNegotiation: 'postgres' | 'direct';
}
interface CancelConnection extends pg.Connection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

export interface PooledClientConfig extends ClientConfig {
  gate: ConnectionGate;
}

const CANCEL_TIMEOUT_MS = 2_000;

/** A connection of the pool that joins no crowd at the door, waits for no answer for ever, and can be interrupted. */
export class PooledClient extends pg.Client {
  private readonly gate: ConnectionGate;
  /** When the server last sent anything, on the scale of `performance.now()`. */
  heardAt = 0;
  /**
   * Whether the server is to keep the plans of statements with parameters. Good for those that are always done in the same
   * way, such as writes; a search is better planned for what is searched.
   */
  keepsPlans = false;
  private isHeldBack = false;

  constructor(config: PooledClientConfig) {
    super(config);
    this.gate = config.gate;
    this.once('connect', () => {
      const heard = () => (this.heardAt = performance.now());
      heard();
      this.connection.stream.on('data', heard);
      this.gate.watched.add(this);
    });
    this.once('end', () => this.gate.watched.delete(this));
    this.on('error', () => this.gate.doubt());
  }

  override query = ((...args: unknown[]) => {
    const [text, values, ...rest] = args;
    const name =
      this.keepsPlans && typeof text === 'string' && Array.isArray(values) ? nameOf(text) : undefined;
    const query = super.query as (...of: unknown[]) => unknown;
    this.holdBack();
    return name ? query.call(this, { name, text, values }, ...rest) : query.apply(this, args);
  }) as pg.Client['query'];

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error | null, client?: pg.Client) => void): void;
  override connect(callback?: (error: Error | null, client?: pg.Client) => void): Promise<pg.Client> | void {
    const connected = this.connectThroughGate();
    if (!callback) return connected;
    connected.then((client) => callback(null, client), callback);
  }

  /**
   * How long a query waits for its answer before the socket is destroyed. The server has limits of its own, below it:
   * this one is for a server, or a network, from which nothing comes any more, not even an error.
   */
  set answerWithinMs(ms: number) {
    (this as unknown as Undeclared).connectionParameters.query_timeout = ms;
  }

  /**
   * No answer came in all the time that was waited for it, not even an error. What swallowed this one's words swallows those
   * of all others that have not been heard since: idle ones would let the next ones down, and jobs would wait for minutes.
   */
  fellSilent(since: number): void {
    for (const client of this.gate.watched) if (client.heardAt < since) client.destroy();
  }

  /** What waits for an answer fails at once; the pool drops the connection. */
  destroy(): void {
    (this.connection.stream as Socket).destroy();
  }

  /**
   * Asks the server, over a connection of its own, to break off the statement that runs. When this resolves, the server
   * has seen to it or could not be reached within two seconds; a statement that is sent afterwards is not hit.
   */
  requestCancel(): Promise<void> {
    const { processID, secretKey, sslNegotiation } = this as unknown as Undeclared;
    if (processID === null || secretKey === null) return Promise.resolve();
    const connection = new pg.Connection({ ssl: this.ssl, sslNegotiation } as object) as CancelConnection;
    const cancel = () => connection.cancel(processID, secretKey);
    connection.on('connect', () => {
      if (!this.ssl) cancel();
      else if (sslNegotiation !== 'direct') connection.requestSsl();
    });
    connection.on('sslconnect', cancel);
    return new Promise((resolve) => {
      const timer = setTimeout(() => connection.stream.destroy(), CANCEL_TIMEOUT_MS).unref();
      connection.on('error', () => connection.stream.destroy());
      connection.on('end', () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.host.startsWith('/')) connection.connect(`${this.host}/.s.PGSQL.${this.port}`);
      else connection.connect(this.port, this.host);
    });
  }

  /** What is asked at one moment is sent at once: a system call for each statement takes longer than to make it. */
  private holdBack(): void {
    const { stream } = this.connection as pg.Connection & { stream: Socket };
    if (this.isHeldBack || !stream.writable) return;
    this.isHeldBack = true;
    stream.cork();
    process.nextTick(() => {
      this.isHeldBack = false;
      stream.uncork();
    });
  }

  private async connectThroughGate(): Promise<pg.Client> {
    await this.gate.pass();
    try {
      return await super.connect();
    } catch (error) {
      this.gate.failed(error);
      throw error;
    }
  }
}

/** By the text of a statement, for all connections; undefined once there are too many different ones. */
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  if (!names.has(text) && names.size < MAX_KEPT_PLANS) names.set(text, `kept_${names.size}`);
  return names.get(text);
}

/** Of each connection; a plan takes the server some 20 kB. The product has about 200 statements that write. */
const MAX_KEPT_PLANS = 300;
