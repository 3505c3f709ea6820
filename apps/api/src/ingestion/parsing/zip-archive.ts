import { ParseFailure } from './parse-failure.js';
import { MAX_TOTAL_BYTES, readZipDirectory, unpackEntry, type ZipEntry } from './zip-directory.js';

/** A ZIP file that is safe to unpack: it is as large inside as it says, and so are the archives inside it. */
export class ZipArchive {
  private readonly byName: ReadonlyMap<string, ZipEntry>;

  private constructor(
    private readonly bytes: Uint8Array,
    readonly entries: readonly ZipEntry[],
  ) {
    this.byName = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /**
   * Unpacks everything once, within limits, before anything is made of it: what an archive says of itself is not to
   * be trusted, and libraries that unpack by themselves trust it.
   * @throws ParseFailure corrupt-file, password-protected, too-complex
   */
  static open(bytes: Uint8Array): ZipArchive {
    const archive = new ZipArchive(bytes, readZipDirectory(bytes));
    if (archive.entries.some((entry) => entry.encrypted)) throw new ParseFailure('password-protected');
    verify(bytes, archive.entries, { leftBytes: MAX_TOTAL_BYTES, depth: 0 });
    return archive;
  }

  /** Unpacks an entry; undefined when there is none of that name. @throws ParseFailure corrupt-file */
  read(name: string): Buffer | undefined {
    const entry = this.byName.get(name);
    return entry && unpackEntry(this.bytes, entry, Math.max(1, entry.sizeBytes));
  }

  /** @throws ParseFailure corrupt-file, also when there is no such entry */
  get(name: string): Buffer {
    const content = this.read(name);
    if (!content) throw new ParseFailure('corrupt-file');
    return content;
  }
}

/** What may still be unpacked, over all levels together. */
interface Budget {
  leftBytes: number;
  depth: number;
}

function verify(bytes: Uint8Array, entries: readonly ZipEntry[], budget: Budget): void {
  for (const entry of entries) {
    budget.leftBytes -= entry.sizeBytes;
    if (budget.leftBytes < 0) throw new ParseFailure('too-complex');
    const content = unpackEntry(bytes, entry, Math.max(1, entry.sizeBytes));
    if (isZip(content)) verifyInner(content, budget);
  }
}

/** Office files hold others, at most a few levels deep. */
function verifyInner(content: Buffer, budget: Budget): void {
  if (budget.depth + 1 > MAX_DEPTH) throw new ParseFailure('too-complex');
  const inner = innerDirectory(content);
  budget.depth += 1;
  verify(
    content,
    inner.filter((entry) => !entry.encrypted),
    budget,
  );
  budget.depth -= 1;
}

/** What begins like an archive and is none does no harm: nobody unpacks it. */
function innerDirectory(content: Buffer): readonly ZipEntry[] {
  try {
    return readZipDirectory(content);
  } catch (error) {
    if (error instanceof ParseFailure && error.code === 'corrupt-file') return [];
    throw error;
  }
}

export const isZip = (bytes: Uint8Array) =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/** An office file in an office file in an office file. */
const MAX_DEPTH = 2;
