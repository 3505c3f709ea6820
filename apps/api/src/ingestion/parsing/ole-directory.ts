import { ParseFailure } from './parse-failure.js';

/** Of an OLE container ([MS-CFB]), which old Office files, Outlook messages and encrypted documents are. */
export const OLE_MAGIC = '\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1';

const HEADER_BYTES = 512;
const ENTRY_BYTES = 128;
const NONE = 0xffff_ffff;
const LAST_SECTOR = 0xffff_fffa;
const HEADER_FAT_SECTORS = 109;
/** A directory of more entries than this is no document's. */
const MAX_ENTRIES = 100_000;

/**
 * The names of what lies directly in an OLE container: they tell an Excel sheet from a letter and a mail.
 * @throws ParseFailure corrupt-file, also when the directory lies beyond `bytes`
 */
export function oleRootNames(bytes: Uint8Array): Set<string> {
  try {
    return childrenOfRoot(readDirectory(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  } catch (error) {
    throw new ParseFailure('corrupt-file', { cause: error });
  }
}

interface Entry {
  name: string;
  left: number;
  right: number;
  child: number;
}

function readDirectory(view: DataView): Entry[] {
  const sectorBytes = 1 << view.getUint16(0x1e, true);
  const start = (sector: number) => HEADER_BYTES + (sectorBytes === 4_096 ? 3_584 : 0) + sector * sectorBytes;
  const entries: Entry[] = [];
  let sector = view.getUint32(0x30, true);
  while (sector < LAST_SECTOR && entries.length < MAX_ENTRIES) {
    for (let at = start(sector); at < start(sector + 1); at += ENTRY_BYTES) entries.push(readEntry(view, at));
    sector = nextSector(view, sector, sectorBytes, start);
  }
  return entries;
}

/** By the allocation table, of which the header names the first 109 sectors: enough for 7 MB, and for any directory. */
function nextSector(
  view: DataView,
  sector: number,
  sectorBytes: number,
  start: (sector: number) => number,
): number {
  const perSector = sectorBytes / 4;
  const table = Math.floor(sector / perSector);
  if (table >= HEADER_FAT_SECTORS) return NONE;
  const tableSector = view.getUint32(0x4c + table * 4, true);
  return view.getUint32(start(tableSector) + (sector % perSector) * 4, true);
}

function readEntry(view: DataView, at: number): Entry {
  const length = Math.min(64, view.getUint16(at + 64, true));
  const letters = Array.from({ length: Math.max(0, length / 2 - 1) }, (_, i) =>
    view.getUint16(at + i * 2, true),
  );
  return {
    name: String.fromCharCode(...letters),
    left: view.getUint32(at + 68, true),
    right: view.getUint32(at + 72, true),
    child: view.getUint32(at + 76, true),
  };
}

/** The entries of one storage form a tree of siblings. */
function childrenOfRoot(entries: readonly Entry[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<number>([NONE]);
  const open = [entries[0]?.child ?? NONE];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const entry = entries[index];
    if (!entry || seen.has(index)) continue;
    seen.add(index);
    names.add(entry.name);
    open.push(entry.left, entry.right);
  }
  return names;
}
