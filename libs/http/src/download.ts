import type { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { attachment } from './content-disposition.js';
import type { ByteRange } from './content-range.js';

/** What a `Range` header asked for; see `rangeIn`. */
export interface WantedRange {
  range?: string;
  ifRange?: string;
}

/** The bytes of a file, or a part of them, on their way to a client. */
export interface Download {
  stream: Readable;
  /** Of the whole file. */
  sizeBytes: number;
  etag: string;
  /** Absent for the whole file. */
  part?: ByteRange;
}

/** Sends a file as one that a browser saves: whole (200), or the part that was asked for (206). */
export function sendDownload(
  reply: FastifyReply,
  { stream, sizeBytes, etag, part }: Download,
  { type, filename }: { type: string; filename: string },
): StreamableFile {
  void reply.headers({ 'x-content-type-options': 'nosniff', 'accept-ranges': 'bytes', etag });
  if (part) void reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${sizeBytes}`);
  return new StreamableFile(stream, {
    type,
    length: part ? part.end - part.start + 1 : sizeBytes,
    disposition: attachment(filename),
  });
}
