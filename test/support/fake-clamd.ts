import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What scanners agree to call malware, so that they can be tried (eicar.org). Put together here, or they would find this file. */
export const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE', '!$H+H*'].join(
  '',
);

/** A server that speaks the protocol of clamd: PING and INSTREAM in their z form. It knows one piece of malware. */
export class FakeClamd {
  /** How many bytes of content it was sent, for each stream that was sent whole. */
  readonly scanned: number[] = [];
  pings = 0;
  /** As StreamMaxLength in clamd.conf. */
  maxBytes = 1_048_576;
  /** It takes streams and says nothing. */
  silent = false;
  /** What it says instead of a verdict. */
  answer: string | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly path: string | undefined,
  ) {}

  /** On a free port, or on a socket of this path. */
  static async start(path?: string): Promise<FakeClamd> {
    const server = createServer();
    const clamd = new FakeClamd(server, path);
    server.on('connection', (socket) => clamd.serve(socket));
    await new Promise<void>((resolve) => server.listen(path ?? { port: 0, host: '127.0.0.1' }, resolve));
    return clamd;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    if (this.path) await rm(this.path, { force: true });
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.includes('zPING\0')) {
        this.pings += 1;
        socket.end('PONG\0');
      } else if (received.indexOf('zINSTREAM\0') === 0) this.readStream(received.subarray(10), socket);
    });
  }

  private readStream(framed: Buffer, socket: Socket): void {
    const content: Buffer[] = [];
    let size = 0;
    for (let at = 0; at + 4 <= framed.length;) {
      const length = framed.readUInt32BE(at);
      if (length === 0) return this.conclude(Buffer.concat(content), socket);
      if (at + 4 + length > framed.length) return;
      content.push(framed.subarray(at + 4, at + 4 + length));
      size += length;
      if (size > this.maxBytes) return void socket.end('INSTREAM size limit exceeded. ERROR\0');
      at += 4 + length;
    }
  }

  private conclude(content: Buffer, socket: Socket): void {
    this.scanned.push(content.length);
    if (this.silent) return;
    socket.end(this.answer ?? (content.includes(EICAR) ? 'stream: Eicar-Signature FOUND\0' : 'stream: OK\0'));
  }
}
