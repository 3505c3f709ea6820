import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultyFlow } from './faulty-flow.js';

/** What becomes of the bytes that go one way. */
export interface FlowFaults {
  /** Every byte arrives so much later, plus up to `jitterMs` more. Order is kept. */
  latencyMs?: number;
  jitterMs?: number;
  bytesPerSecond?: number;
  /** Cuts what is sent into pieces of so many bytes, with a pause before each further one. */
  slice?: { bytes: number; delayMs: number };
  /** Bytes are swallowed and the connection stays open: a black hole. Lost bytes stay lost after `heal()`. */
  hang?: boolean;
  /** Passes on so many bytes of a connection, counted from its beginning, and then resets it. */
  dropAfterBytes?: number;
  /** The probability, for each piece that arrives, that one of its bits is turned over. */
  corrupt?: number;
  resetOn?: ResetOn;
}

/** Resets the connection when these bytes pass, such as `COMMIT`. */
export interface ResetOn {
  bytes: string | Buffer;
  /** `before` they are passed on; `after` the other side got them and answered, without passing the answer on. */
  when: 'before' | 'after';
  /** So many occurrences pass first; 0 unless given. */
  skip?: number;
  /** So many connections are reset, and later occurrences pass; 1 unless given. */
  times?: number;
}

export interface Faults {
  toServer?: FlowFaults;
  toClient?: FlowFaults;
  /**
   * For new connections: nobody listens (`refuse`), they are reset once accepted (`reset`), or accepted and never
   * answered (`half-open`).
   */
  connect?: 'refuse' | 'reset' | 'half-open';
  /** The share of connections that is affected, 1 unless given. `refuse` affects all. */
  probability?: number;
}

export interface Address {
  host: string;
  port: number;
}

/** Starts a proxy on a free port of 127.0.0.1 in front of `target`; `seed` makes chance repeatable. */
export async function startFaultProxy(target: Address, { seed = 1 } = {}): Promise<FaultProxy> {
  const proxy = new FaultProxy(target, seed);
  await proxy.listen();
  return proxy;
}

/** As `startFaultProxy`, in front of the server of a URL such as `postgres://…`. */
export function startFaultProxyFor(url: string, options?: { seed?: number }): Promise<FaultProxy> {
  const { hostname, port } = new URL(url);
  return startFaultProxy({ host: hostname, port: Number(port) }, options);
}

/** A TCP proxy with faults, which hold for the connections that are open as well as for new ones. */
export class FaultProxy {
  readonly counters = {
    /** Connections that were accepted, whatever became of them; refused ones never arrive here. */
    connects: 0,
    resets: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    bytesSwallowed: 0,
    /** Times of the accepted connections on the scale of `performance.now()`. */
    connectTimes: [] as number[],
  };
  private readonly random: () => number;
  private readonly connections = new Set<Connection>();
  private faults: Faults = {};
  private resetsLeft = 0;
  private skipsLeft = 0;
  private server?: Server;
  private ownPort = 0;

  constructor(
    /** Where new connections go; may be changed, because a restarted server may have another port. */
    public target: Address,
    seed: number,
  ) {
    this.random = mulberry32(seed);
  }

  get port(): number {
    return this.ownPort;
  }

  get open(): number {
    return this.connections.size;
  }

  /** The same URL with this proxy in the place of the server. */
  through(url: string): string {
    return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(this.ownPort) }).href;
  }

  /** From now on these faults and no others. */
  async inject(faults: Faults): Promise<void> {
    this.faults = faults;
    const resetOn = faults.toServer?.resetOn ?? faults.toClient?.resetOn;
    this.resetsLeft = resetOn?.times ?? 1;
    this.skipsLeft = resetOn?.skip ?? 0;
    for (const connection of this.connections) connection.follow(this.drawLot());
    if (faults.connect === 'refuse') await this.stopListening();
    else await this.listen();
  }

  /** No faults any more. Connections that faults have broken stay broken. */
  heal(): Promise<void> {
    return this.inject({});
  }

  /** Resets every open connection, as a server does that dies. */
  resetConnections(): void {
    for (const connection of this.connections) connection.reset();
  }

  /** The most connections that were accepted within any one second since `since` (`performance.now()`). */
  busiestSecond(since = 0): number {
    const times = this.counters.connectTimes.filter((time) => time >= since);
    return Math.max(0, ...times.map((from) => times.filter((t) => t >= from && t < from + 1_000).length));
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.reset();
    await this.stopListening();
  }

  async listen(): Promise<void> {
    // The port was free a moment ago; the operating system may want a little time to see it that way again.
    for (let attempt = 1; !this.server; attempt++) {
      const server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
      server.listen(this.ownPort, '127.0.0.1');
      try {
        await once(server, 'listening');
        this.server = server;
      } catch (error) {
        if (attempt === 50) throw error;
        await delay(20);
      }
    }
    this.ownPort = (this.server.address() as AddressInfo).port;
  }

  /** What a flow needs to know at each piece: the faults change while connections live. */
  faultsOf(connection: Connection, direction: 'toServer' | 'toClient'): FlowFaults {
    return connection.afflicted ? (this.faults[direction] ?? {}) : {};
  }

  /** Whether this occurrence of the pattern is one to reset at. */
  takeReset(): boolean {
    if (this.skipsLeft > 0) {
      this.skipsLeft -= 1;
      return false;
    }
    this.resetsLeft -= 1;
    return this.resetsLeft >= 0;
  }

  private accept(client: Socket): void {
    this.counters.connects += 1;
    this.counters.connectTimes.push(performance.now());
    const afflicted = this.drawLot();
    const mode = afflicted ? this.faults.connect : undefined;
    const connection = new Connection(this, client, afflicted, this.random);
    this.connections.add(connection);
    client.once('close', () => this.connections.delete(connection));
    if (mode === 'reset') connection.reset();
    else if (mode === 'half-open') client.resume();
    else connection.open();
  }

  private drawLot(): boolean {
    return this.random() < (this.faults.probability ?? 1);
  }

  private async stopListening(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    // It stops listening at once; `close` would wait for the connections that are open.
    server?.close();
    await delay(0);
  }
}

class Connection {
  private upstream?: Socket;
  private flows: FaultyFlow[] = [];
  private closed = false;

  constructor(
    private readonly proxy: FaultProxy,
    private readonly client: Socket,
    public afflicted: boolean,
    private readonly random: () => number,
  ) {
    client.setNoDelay(true);
    client.on('error', () => this.reset());
  }

  open(): void {
    const upstream = connect({ ...this.proxy.target, allowHalfOpen: true, noDelay: true });
    this.upstream = upstream;
    upstream.on('error', () => this.reset());
    const toServer = this.flow('toServer', this.client, upstream);
    const toClient = this.flow('toClient', upstream, this.client);
    toServer.opposite = toClient;
    toClient.opposite = toServer;
    this.flows = [toServer, toClient];
    upstream.once('close', () => toClient.finished || this.reset());
    this.client.once('close', () => upstream.destroy());
  }

  /** The faults have changed, and this says whether they are this connection's. */
  follow(afflicted: boolean): void {
    this.afflicted = afflicted;
    for (const flow of this.flows) flow.pump();
  }

  reset(): void {
    if (this.closed) return;
    this.closed = true;
    this.proxy.counters.resets += 1;
    for (const socket of [this.client, this.upstream]) resetSocket(socket);
  }

  private flow(direction: 'toServer' | 'toClient', source: Socket, destination: Socket): FaultyFlow {
    const counter = direction === 'toServer' ? 'bytesToServer' : 'bytesToClient';
    return new FaultyFlow(source, destination, {
      random: this.random,
      faults: () => this.proxy.faultsOf(this, direction),
      takeReset: () => this.proxy.takeReset(),
      reset: () => this.reset(),
      passed: (bytes) => (this.proxy.counters[counter] += bytes),
      swallowed: (bytes) => (this.proxy.counters.bytesSwallowed += bytes),
    });
  }
}

/** Node 24 turns in circles for ever when a socket is reset after it was ended. */
function resetSocket(socket?: Socket): void {
  if (socket?.writableEnded) socket.destroy();
  else socket?.resetAndDestroy();
}

/** A small generator of good enough numbers (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
