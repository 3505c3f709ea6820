import type { Readable } from 'node:stream';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { DomainError } from '#libs/errors';
import { ArchiveNotSafe, ArchiveUnreadable, EntryProtected, TooManyItems } from './import.errors.js';

export interface ArchiveEntry {
  /** Its place in the directory of the archive. */
  index: number;
  /** With its folders, as the archive has it. */
  name: string;
  /** As the archive claims. */
  sizeBytes: number;
}

export interface ArchiveLimits {
  /** Of files that are to be unpacked. */
  maxItems: number;
  maxUnpackedBytes: number;
}

/** More is no archive of documents, whatever its entries are. */
const MOST_ENTRIES = 100_000;
/** Texts reach 30 or 40; small entries may be all zeros and harmless. */
const MAX_RATIO = 100;
const RATIO_FROM_BYTES = 1_048_576;

/**
 * The files in an archive that are worth unpacking, read from its directory alone, entry by entry. Folders, hidden files
 * and what systems leave behind are not among them.
 *
 * @throws ArchiveUnreadable, ArchiveNotSafe, TooManyItems
 */
export async function listArchive(path: string, limits: ArchiveLimits): Promise<ArchiveEntry[]> {
  const zip = await openZip(path);
  const entries: ArchiveEntry[] = [];
  const seen = new Set<string>();
  let packedBytes = 0;
  let unpackedBytes = 0;
  if (zip.entryCount > MOST_ENTRIES) {
    zip.close();
    throw new ArchiveNotSafe();
  }
  await eachEntry(zip, (entry, index) => {
    packedBytes += entry.compressedSize;
    unpackedBytes += entry.uncompressedSize;
    // Entries that share their bytes: the same few kilobytes, unpacked a thousand times.
    if (packedBytes > zip.fileSize || unpackedBytes > limits.maxUnpackedBytes) throw new ArchiveNotSafe();
    if (isSwollen(entry) || seen.has(entry.fileName)) throw new ArchiveNotSafe();
    seen.add(entry.fileName);
    if (!isWorthUnpacking(entry.fileName)) return true;
    entries.push({ index, name: entry.fileName, sizeBytes: entry.uncompressedSize });
    if (entries.length > limits.maxItems) throw new TooManyItems(limits.maxItems);
    return true;
  });
  return entries;
}

/**
 * Unpacks one entry as it is read; whoever stops reading closes the archive too.
 *
 * @throws ArchiveUnreadable, EntryProtected; also while it is read, should it be longer than it claims
 */
export async function* unpack(path: string, wanted: number): AsyncIterable<Uint8Array> {
  const zip = await openZip(path);
  try {
    yield* await openEntry(zip, await findEntry(zip, wanted));
  } catch (error) {
    throw error instanceof DomainError ? error : new ArchiveUnreadable({ cause: error });
  } finally {
    zip.close();
  }
}

async function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  if (entry.isEncrypted()) throw new EntryProtected();
  return zip.openReadStreamPromise(entry);
}

async function findEntry(zip: ZipFile, wanted: number): Promise<Entry> {
  let found: Entry | undefined;
  await eachEntry(zip, (entry, index) => {
    if (index === wanted) found = entry;
    return index < wanted;
  });
  if (!found) throw new ArchiveUnreadable();
  return found;
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, { lazyEntries: true, autoClose: false });
  } catch (cause) {
    throw new ArchiveUnreadable({ cause });
  }
}

/** Until `visit` says that it has seen enough. Names that lead out of the archive are refused by the library. */
async function eachEntry(zip: ZipFile, visit: (entry: Entry, index: number) => boolean): Promise<void> {
  let index = 0;
  try {
    for await (const entry of zip.eachEntry()) if (!visit(entry, index++)) return;
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const isName = /^(absolute path|invalid relative path|invalid characters in fileName)/.test(
      (error as Error).message,
    );
    throw isName ? new ArchiveNotSafe() : new ArchiveUnreadable({ cause: error });
  }
}

function isSwollen({ uncompressedSize, compressedSize }: Entry): boolean {
  return uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > MAX_RATIO * Math.max(1, compressedSize);
}

function isWorthUnpacking(name: string): boolean {
  if (name.endsWith('/')) return false;
  const parts = name.split('/');
  return (
    !parts.some((part) => part === '__MACOSX' || part.startsWith('.')) &&
    !LEFT_BEHIND.has(parts.at(-1)!.toLowerCase())
  );
}

const LEFT_BEHIND = new Set(['thumbs.db', 'desktop.ini']);
