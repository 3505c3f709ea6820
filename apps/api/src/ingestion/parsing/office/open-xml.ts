import { posix } from 'node:path';
import { find, findAll, parseXml, type XmlElement } from '../xml.js';
import type { ZipArchive } from '../zip-archive.js';

/** What a part of an Office document refers to, by the id of the reference. */
export interface Relation {
  /** The last word of its type: `slide`, `image`, `notesSlide`. */
  type: string;
  /** The name of the entry in the archive. */
  target: string;
}

/** Relations to other parts; those to the outside are never followed, so they are left out. */
export function relationsOf(archive: ZipArchive, part: string): Map<string, Relation> {
  const { dir, base } = posix.parse(part);
  const content = archive.read(posix.join(dir, '_rels', `${base}.rels`));
  if (!content) return new Map();
  const relations = [...findAll(parseXml(content), 'Relationship')].filter(
    (element) => element.getAttribute('TargetMode') !== 'External',
  );
  return new Map(
    relations.map((element) => [
      element.getAttribute('Id') ?? '',
      {
        type: element.getAttribute('Type')?.split('/').at(-1) ?? '',
        target: entryName(dir, element.getAttribute('Target') ?? ''),
      },
    ]),
  );
}

/** The document's own title, as its properties state it. */
export function titleOf(archive: ZipArchive): string | null {
  const content = archive.read('docProps/core.xml');
  return (content && textIn(find(parseXml(content), 'dc:title'))) || null;
}

const textIn = (element: XmlElement | undefined) => element?.textContent?.trim() ?? '';

const entryName = (folder: string, target: string) =>
  target.startsWith('/') ? target.slice(1) : posix.join(folder, target);
