import type { JsonValue } from '#libs/audit';

/** `failed`, `expired` and `cancelled` have no file. */
export type ExportState = 'queued' | 'running' | 'ready' | 'failed' | 'expired' | 'cancelled';

/** Ids, filters, formats: they stand in the manifest, so never text of a document. */
export type ExportParameters = Readonly<Record<string, JsonValue>>;

export interface ExportJob {
  tenantId: string;
  id: string;
  kind: string;
  requestedBy: string;
  parameters: ExportParameters;
  state: ExportState;
  fileName: string;
  mediaType: string;
  gzip: boolean;
  /** Written so far. */
  rows: number;
  /** Of the file; null until it is ready. */
  bytes: number | null;
  /** Of the file, in hex. */
  sha256: string | null;
  /** A signed note (C2SP) with all of this; null until it is ready. */
  manifest: string | null;
  /** The stable code of what it failed of. */
  reason: string | null;
  createdAt: Date;
  finishedAt: Date | null;
  expiresAt: Date | null;
}

export interface NewExport {
  tenantId: string;
  requestedBy: string;
  kind: string;
  parameters: ExportParameters;
}

export interface ExportFile {
  /** Under which it is downloaded; `.gz` is added to that of a compressed one. */
  name: string;
  mediaType: string;
  gzip?: boolean;
}

/** Where a kind writes its file. */
export interface ExportSink {
  /**
   * Resolves when more can be taken: what waits to be written is bounded.
   *
   * @throws ExportTooLarge, and what the disk throws
   */
  write(chunk: string | Uint8Array): Promise<void>;
  /** Says how many rows were written so far, for whoever waits. */
  progress(rows: number): void;
}

/**
 * One kind of export. Register it with `ExportKinds` in every process: those that answer requests ask it for the name of
 * the file, workers have it written.
 */
export abstract class ExportKind {
  abstract readonly kind: string;

  abstract fileOf(parameters: ExportParameters): ExportFile;

  /**
   * Writes the whole file. It may be called again, from the beginning, when a process died over it; what was written
   * then is gone.
   *
   * @param signal aborts when the export was cancelled or given to another process, or when this one stops
   */
  abstract write(job: ExportJob, out: ExportSink, signal: AbortSignal): Promise<{ rows: number }>;
}

export class ExportKinds {
  private readonly kinds = new Map<string, ExportKind>();

  register(kind: ExportKind): void {
    if (this.kinds.has(kind.kind)) throw new Error(`There are two kinds of export called ${kind.kind}`);
    this.kinds.set(kind.kind, kind);
  }

  get(kind: string): ExportKind {
    const found = this.kinds.get(kind);
    if (!found) throw new Error(`There is no kind of export called ${kind}`);
    return found;
  }

  get names(): string[] {
    return [...this.kinds.keys()];
  }
}
