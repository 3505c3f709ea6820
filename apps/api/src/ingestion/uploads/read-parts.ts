import type { FastifyRequest } from 'fastify';
import type { Multipart } from '@fastify/multipart';
import { settleQuota } from '#libs/http';
import { MultipartExpected } from '../ingestion.errors.js';
import type { UploadPart } from './upload-form.js';

export interface PartLimits {
  files: number;
  fields: number;
  parts: number;
  /** Of one file, in bytes. */
  fileSize: number;
  /** Of the quota that the form may take; as its size asks for unless given. */
  units?: number;
}

/**
 * Reads a multipart form as it arrives. When `read` throws, the rest is taken and thrown away.
 *
 * @throws MultipartExpected, and whatever `read` throws
 */
export async function readParts<T>(
  request: FastifyRequest,
  { units = Infinity, ...limits }: PartLimits,
  read: (parts: AsyncIterable<UploadPart>) => Promise<T>,
): Promise<T> {
  if (!request.isMultipart()) throw new MultipartExpected();
  // Node closes a socket whose time is up.
  const { socket } = request.raw;
  socket.setTimeout(IDLE_MS);
  const readBefore = socket.bytesRead;
  try {
    // Whoever reads a file counts its bytes; here it must only not become endless.
    const options = { limits: { ...FIELD_LIMITS, ...limits }, throwFileSizeLimit: false };
    return await read(named(request.parts(options)));
  } catch (error) {
    discardRest(request);
    throw error;
  } finally {
    socket.setTimeout(0);
    // A length that nobody announced was taken for none.
    if (request.headers['content-length'] === undefined)
      settleQuota(Math.min(unitsOf(socket.bytesRead - readBefore), units));
  }
}

/** A client may leave the name of a file empty, which is then given without one. */
async function* named(parts: AsyncIterable<Multipart>): AsyncIterable<UploadPart> {
  for await (const part of parts) {
    if (part.type === 'file') part.filename ??= '';
    yield part;
  }
}

/** A large file takes as much of the quota as several small ones. */
export function quotaUnitsOf({ headers }: FastifyRequest): number {
  return unitsOf(Number(headers['content-length'] ?? 0));
}

const unitsOf = (bytes: number) => 1 + Math.floor(bytes / BYTES_PER_UNIT);

const BYTES_PER_UNIT = 8_388_608;
const FIELD_LIMITS = { fieldNameSize: 100, fieldSize: 10_000, headerPairs: 100 };
/** A client that sends nothing for this long has gone. */
const IDLE_MS = 60_000;
const DISCARD_MS = 10_000;

/**
 * Lets a refused client finish its sentence, because closing the connection on unread bytes would also take the
 * answer from it; but not for ever.
 */
function discardRest({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  raw.unpipe();
  raw.resume();
  const timer = setTimeout(() => raw.destroy(), DISCARD_MS).unref();
  raw.once('close', () => clearTimeout(timer));
}
