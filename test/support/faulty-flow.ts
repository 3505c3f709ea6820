import type { Socket } from 'node:net';
import type { FlowFaults, ResetOn } from './fault-proxy.js';

export interface FlowHooks {
  random(): number;
  /** The faults of this moment. */
  faults(): FlowFaults;
  takeReset(): boolean;
  reset(): void;
  passed(bytes: number): void;
  swallowed(bytes: number): void;
}

interface Piece {
  bytes: Buffer;
  dueAt: number;
}

/** The source waits when so many bytes are on their way. */
const MOST_ON_THE_WAY = 1_048_576;

/** One direction of one connection: bytes go in at the source and come out at the destination, faults permitting. */
export class FaultyFlow {
  opposite?: FaultyFlow;
  /** The source has ended, and everything that it had sent was passed on. */
  finished = false;
  private readonly queue: Piece[] = [];
  private waiting = 0;
  private lastDueAt = 0;
  private accepted = 0;
  private ended = false;
  private timer?: NodeJS.Timeout;
  /** The end of what went before, because a pattern may lie across two pieces. */
  private tail = Buffer.alloc(0);
  private resetAtNextPiece = false;
  private resetWhenEmpty = false;

  constructor(
    private readonly source: Socket,
    private readonly destination: Socket,
    private readonly hooks: FlowHooks,
  ) {
    source.on('data', (bytes: Buffer) => this.receive(bytes));
    source.once('end', () => {
      this.ended = true;
      this.pump();
    });
    destination.on('drain', () => this.pump());
    destination.once('close', () => clearTimeout(this.timer));
  }

  private receive(bytes: Buffer): void {
    if (this.resetAtNextPiece) return this.hooks.reset();
    const faults = this.hooks.faults();
    if (faults.hang) return this.hooks.swallowed(bytes.length);
    if (faults.resetOn && this.meetsPattern(bytes, faults.resetOn)) {
      if (faults.resetOn.when === 'before') return this.hooks.reset();
      if (this.opposite) this.opposite.resetAtNextPiece = true;
    }
    const { dropAfterBytes = Infinity } = faults;
    const left = dropAfterBytes - this.accepted;
    this.accepted += bytes.length;
    if (left <= 0) return this.hooks.reset();
    this.resetWhenEmpty = left <= bytes.length;
    this.schedule(this.corrupted(left < bytes.length ? bytes.subarray(0, left) : bytes, faults), faults);
    this.pump();
  }

  private meetsPattern(bytes: Buffer, { bytes: pattern }: ResetOn): boolean {
    const wanted = Buffer.from(pattern as string);
    const seen = Buffer.concat([this.tail, bytes]);
    let found = false;
    for (let at = seen.indexOf(wanted); at >= 0 && !found; at = seen.indexOf(wanted, at + wanted.length))
      found = this.hooks.takeReset();
    this.tail = Buffer.from(seen.subarray(Math.max(0, seen.length - wanted.length + 1)));
    return found;
  }

  private corrupted(bytes: Buffer, { corrupt = 0 }: FlowFaults): Buffer {
    if (corrupt === 0 || this.hooks.random() >= corrupt) return bytes;
    const damaged = Buffer.from(bytes);
    const at = Math.floor(this.hooks.random() * damaged.length);
    damaged[at]! ^= 1 << Math.floor(this.hooks.random() * 8);
    return damaged;
  }

  private schedule(bytes: Buffer, { latencyMs = 0, jitterMs = 0, bytesPerSecond, slice }: FlowFaults): void {
    const arrivesAt = performance.now() + latencyMs + this.hooks.random() * jitterMs;
    const size = slice?.bytes ?? bytes.length;
    for (let from = 0; from < bytes.length; from += size) {
      const piece = bytes.subarray(from, from + size);
      const transferMs = bytesPerSecond ? (piece.length / bytesPerSecond) * 1_000 : 0;
      const pauseMs = from > 0 ? slice!.delayMs : 0;
      this.lastDueAt = Math.max(arrivesAt, this.lastDueAt) + transferMs + pauseMs;
      this.queue.push({ bytes: piece, dueAt: this.lastDueAt });
      this.waiting += piece.length;
    }
  }

  /** Passes on what is due, and comes back when the next piece is or when the destination takes more. */
  pump(): void {
    clearTimeout(this.timer);
    if (this.destination.destroyed) return;
    while (this.queue.length > 0 && !this.destination.writableNeedDrain) {
      const waitMs = this.queue[0]!.dueAt - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      const { bytes } = this.queue.shift()!;
      this.waiting -= bytes.length;
      this.hooks.passed(bytes.length);
      this.destination.write(bytes);
    }
    if (this.waiting > MOST_ON_THE_WAY) this.source.pause();
    else if (this.source.isPaused()) this.source.resume();
    this.finish();
  }

  private finish(): void {
    if (this.queue.length > 0) return;
    // The empty write is called back once everything before it has left.
    if (this.resetWhenEmpty) this.destination.write('', () => this.hooks.reset());
    // A black hole swallows the end of a connection too.
    if (!this.ended || this.finished || this.hooks.faults().hang) return;
    this.finished = true;
    this.destination.end();
  }
}
