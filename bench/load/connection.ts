import { connect, type Socket } from 'node:net';

export interface Answer {
  /** 0 when the connection broke. */
  status: number;
  ms: number;
  /** What `Retry-After` says. */
  retryAfterMs: number;
  /** It was asked before the last answer on this connection said that it may be. */
  isEarly: boolean;
}

const HEADERS_END = '\r\n\r\n';

/** One keep-alive connection that asks one thing at a time; as little work as can be, because it shares the machine. */
export class Connection {
  private socket?: Socket;
  private received = '';
  private welcomeAt = 0;
  private pending?: (status: number, retryAfterMs: number) => void;

  constructor(private readonly url: URL) {}

  /** POSTs JSON. Never rejects. */
  ask(path: string, apiKey: string, body: string): Promise<Answer> {
    const startedAt = performance.now();
    const isEarly = startedAt < this.welcomeAt;
    return new Promise((resolve) => {
      this.pending = (status, retryAfterMs) => {
        const now = performance.now();
        this.welcomeAt = now + retryAfterMs;
        resolve({ status, retryAfterMs, isEarly, ms: now - startedAt });
      };
      this.open().write(
        `POST ${path} HTTP/1.1\r\nHost: ${this.url.host}\r\nAuthorization: Bearer ${apiKey}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.pending = undefined;
    this.socket?.destroy();
  }

  private open(): Socket {
    if (this.socket) return this.socket;
    const socket = connect({ host: this.url.hostname, port: Number(this.url.port), noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => this.receive(chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.socket = undefined;
      this.settle(0, 0);
    });
    return (this.socket = socket);
  }

  private receive(text: string): void {
    this.received += text;
    const headEnd = this.received.indexOf(HEADERS_END);
    if (headEnd < 0) return;
    const head = this.received.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.received.length < headEnd + HEADERS_END.length + length) return;
    this.received = '';
    const retryAfter = Number(/\r\nretry-after: (\d+)/i.exec(head)?.[1] ?? 0);
    if (/\r\nconnection: close/i.test(head)) this.socket?.end();
    this.settle(Number(head.slice(9, 12)), retryAfter * 1_000);
  }

  private settle(status: number, retryAfterMs: number): void {
    const settle = this.pending;
    this.pending = undefined;
    settle?.(status, retryAfterMs);
  }
}
