import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import type { Block, ExtractedDocument } from './extracted-document.js';
import { type DomDocument, type DomElement, textOf } from './html/dom.js';
import { type HtmlContent, readHtml } from './html/html-blocks.js';
import { ParseFailure } from './parse-failure.js';

/**
 * Reads a page: its main content when there is menu and footer around it, else all of it.
 * @throws ParseFailure no-text, unknown-encoding
 */
export function parseHtml(bytes: Uint8Array): ExtractedDocument {
  const html = decodeHtml(bytes);
  const document = parse(html);
  const title = cleanText(document.querySelector('title')?.textContent ?? '') || null;
  const blocks = withoutMenus(readHtml(mainContent(document, html)));
  if (blocks.length === 0 && title !== null)
    blocks.push({ kind: 'paragraph', text: title, page: null, box: null });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return { format: 'html', title, pageCount: null, blocks, warnings: [] };
}

/** The page as a tree, whatever encoding it is in. @throws ParseFailure unknown-encoding */
export function parsePage(page: Uint8Array | string): DomDocument {
  return parse(typeof page === 'string' ? page : decodeHtml(page));
}

function parse(html: string): DomDocument {
  const whole = /<html[\s>]/i.test(html) ? html : `<!doctype html><html><body>${html}</body></html>`;
  return parseHTML(whole).document as unknown as DomDocument;
}

/** Links alone, at the beginning and at the end, are a menu that nobody marked as one; unless they are the page. */
function withoutMenus({ blocks, links }: HtmlContent): Block[] {
  const first = blocks.findIndex((block) => !links.has(block));
  const last = blocks.findLastIndex((block) => !links.has(block));
  const inner = first === -1 ? [] : blocks.slice(first, last + 1);
  return lengthOfAll(inner) >= MIN_SHARE_WITHOUT_MENUS * lengthOfAll(blocks) ? inner : blocks;
}

const lengthOfAll = (blocks: readonly Block[]) =>
  blocks.reduce((sum, block) => sum + (block.kind === 'table' ? TABLE_LENGTH : block.text.length), 0);

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

/** What asks for consent lies over the page and is no part of it. */
const BANNERS =
  '[role=dialog], [role=alertdialog], [id*=cookie], [class*=cookie], [id*=consent], [class*=consent], [id*=gdpr], [class*=gdpr]';

function mainContent(document: DomDocument, html: string): DomElement {
  for (const banner of [...document.querySelectorAll(BANNERS)]) if (asksForConsent(banner)) banner.remove();
  if (!document.querySelector(SURROUNDINGS)) return document.body;
  const stated = [...document.querySelectorAll('main, [role=main]')];
  if (stated.length === 1) return withoutSurroundings(stated[0]!);
  const body = withoutSurroundings(document.body);
  const article = readable(html);
  const enough = article && lengthOf(article) > MIN_ARTICLE_SHARE * lengthOf(body);
  return enough ? article : body;
}

function asksForConsent(element: DomElement): boolean {
  const text = textOf(element);
  const hasChoice = element.querySelector('button, [role=button], input, a') !== null;
  return (
    hasChoice &&
    text.length < MAX_BANNER_LENGTH &&
    /cookie|consent|privacy/i.test(`${text} ${element.getAttribute('class')}`)
  );
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
/** In characters; a policy about cookies is longer. */
const MAX_BANNER_LENGTH = 1_500;
const MIN_SHARE_WITHOUT_MENUS = 0.5;
/** What a table counts for beside the characters of texts. */
const TABLE_LENGTH = 500;
