import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { ExtractedDocument } from './extracted-document.js';
import { type DomDocument, type DomElement, textOf } from './html/dom.js';
import { htmlBlocks } from './html/html-blocks.js';
import { ParseFailure } from './parse-failure.js';

/**
 * Reads a page: its main content when there is menu and footer around it, else all of it.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseHtml(bytes: Uint8Array): ExtractedDocument {
  return extractHtml(decodeHtml(bytes), 'html');
}

/** For HTML that another parser made, too. */
export function extractHtml(html: string, format: 'html' | 'docx'): ExtractedDocument {
  const document = parse(html);
  const title = cleanText(document.querySelector('title')?.textContent ?? '') || null;
  const blocks = htmlBlocks(format === 'html' ? mainContent(document, html) : document.body);
  if (blocks.length === 0 && title !== null)
    blocks.push({ kind: 'paragraph', text: title, page: null, box: null });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format, title, pageCount: null, blocks, warnings: [] };
}

function parse(html: string): DomDocument {
  const whole = /<html[\s>]/i.test(html) ? html : `<!doctype html><html><body>${html}</body></html>`;
  return parseHTML(whole).document as unknown as DomDocument;
}

/** A byte order mark, else what the page itself says, else what the bytes look like. */
function decodeHtml(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 4_096)).toString('latin1');
  const label =
    /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(head)?.[1] ??
    /^\s*<\?xml[^>]+encoding=["']([\w-]+)/i.exec(head)?.[1];
  const marked = bytes[0] === 0xef || bytes[0] === 0xff || bytes[0] === 0xfe;
  if (label && !marked) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // A page may be wrong about itself.
    }
  }
  return decodeText(bytes);
}

const SURROUNDINGS =
  'nav, aside, footer, [role=navigation], [role=banner], [role=contentinfo], [role=search]';

function mainContent(document: DomDocument, html: string): DomElement {
  if (!document.querySelector(SURROUNDINGS)) return document.body;
  const stated = [...document.querySelectorAll('main, [role=main]')];
  if (stated.length === 1) return withoutSurroundings(stated[0]!);
  const body = withoutSurroundings(document.body);
  const article = readable(html);
  const enough = article && lengthOf(article) > MIN_ARTICLE_SHARE * lengthOf(body);
  return enough ? article : body;
}

function withoutSurroundings(element: DomElement): DomElement {
  for (const part of [...element.querySelectorAll(SURROUNDINGS)]) part.remove();
  return element;
}

/** Readability changes the document that it reads, so it gets one of its own. */
function readable(html: string): DomElement | undefined {
  try {
    const article = new Readability(parse(html) as never, { maxElemsToParse: MAX_ELEMENTS }).parse();
    return article?.content ? parse(article.content).body : undefined;
  } catch {
    return undefined;
  }
}

const lengthOf = (element: DomElement) => cleanText(textOf(element)).length;

/** What finds less of the page than this has dropped more than menus: a table of benefits, or the answers. */
const MIN_ARTICLE_SHARE = 0.7;
const MAX_ELEMENTS = 100_000;
