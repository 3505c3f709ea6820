import { posix } from 'node:path';
import { cleanText } from '../clean-text.js';
import type { Block, ExtractedDocument } from '../extracted-document.js';
import { type DomDocument, textOf } from '../html/dom.js';
import { readHtml } from '../html/html-blocks.js';
import { parsePage } from '../html.parser.js';
import { ParseFailure } from '../parse-failure.js';
import { find, findAll, parseXml, type XmlElement } from '../xml.js';
import { ZipArchive } from '../zip-archive.js';

/**
 * Reads a book in the order of its spine; each chapter begins with a heading. Its table of contents is left out: it
 * would compete with the chapters that it names.
 * @throws ParseFailure corrupt-file, password-protected, no-text, too-complex
 */
export function parseEpub(bytes: Uint8Array): ExtractedDocument {
  const archive = ZipArchive.open(bytes);
  if (isProtected(archive)) throw new ParseFailure('password-protected');
  const container = parseXml(archive.get('META-INF/container.xml'));
  const path = find(container, 'rootfile')?.getAttribute('full-path') ?? '';
  const book = parseXml(archive.get(path));
  const title = cleanText(find(book, 'dc:title')?.textContent ?? '') || null;
  const labels = chapterLabels(archive, book, path);
  const blocks = chaptersOf(book, path).flatMap((name) => {
    const content = archive.read(name);
    return content ? chapterBlocks(parsePage(content), labels.get(name), title) : [];
  });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format: 'epub', title, pageCount: null, blocks, warnings: [] };
}

/** Rights management encrypts the chapters; fonts may be encrypted without it. */
function isProtected(archive: ZipArchive): boolean {
  const encryption = archive.read('META-INF/encryption.xml')?.toString() ?? '';
  return /CipherReference[^>]+URI="[^"]+\.x?html?"/i.test(encryption);
}

function chaptersOf(book: XmlElement, path: string): string[] {
  const items = new Map([...findAll(book, 'item')].map((item) => [item.getAttribute('id') ?? '', item]));
  const contents = [...findAll(book, 'reference')]
    .filter((reference) => reference.getAttribute('type') === 'toc')
    .map((reference) => entryName(path, reference.getAttribute('href')));
  return [...findAll(book, 'itemref')].flatMap((reference) => {
    const item = items.get(reference.getAttribute('idref') ?? '');
    const name = item && entryName(path, item.getAttribute('href'));
    const isContents = item?.getAttribute('properties')?.split(' ').includes('nav');
    return name && !isContents && !contents.includes(name) ? [name] : [];
  });
}

/** What the table of contents calls each file, at its first mention. */
function chapterLabels(archive: ZipArchive, book: XmlElement, path: string): Map<string, string> {
  const labels = new Map<string, string>();
  const add = (name: string, label: string) => {
    if (label !== '' && !labels.has(name)) labels.set(name, label);
  };
  for (const item of findAll(book, 'item')) {
    const name = entryName(path, item.getAttribute('href'));
    const content = archive.read(name);
    if (!content) continue;
    if (item.getAttribute('media-type') === 'application/x-dtbncx+xml')
      for (const point of descendants(parseXml(content), 'navPoint'))
        add(
          entryName(name, find(point, 'content')?.getAttribute('src') ?? null),
          cleanText(find(point, 'text')?.textContent ?? ''),
        );
    else if (item.getAttribute('properties')?.split(' ').includes('nav'))
      for (const link of parsePage(content).querySelectorAll('a[href]'))
        add(entryName(name, link.getAttribute('href')), cleanText(textOf(link)));
  }
  return labels;
}

function chapterBlocks(page: DomDocument, label: string | undefined, book: string | null): Block[] {
  const { blocks, links } = readHtml(page.body);
  const isContents = blocks.every((block) => block.kind === 'heading' || links.has(block));
  if (isContents && links.size > 1) return [];
  const hasHeading = blocks.slice(0, BLOCKS_TO_LOOK_AT).some((block) => block.kind === 'heading');
  if (blocks.length === 0 || hasHeading) return blocks;
  const stated = cleanText(page.querySelector('title')?.textContent ?? '');
  const text = label ?? (stated === book ? '' : stated);
  return text === '' ? blocks : [{ kind: 'heading', level: 1, text, page: null, box: null }, ...blocks];
}

/** Points stand inside points. */
function* descendants(element: XmlElement, name: string): Iterable<XmlElement> {
  for (const child of element.children) {
    if (child.tagName === name) yield child;
    yield* descendants(child, name);
  }
}

function entryName(from: string, href: string | null): string {
  const [path = ''] = (href ?? '').split('#');
  return posix.join(posix.dirname(from), decoded(path));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const BLOCKS_TO_LOOK_AT = 3;
