/** The little of the DOM that reading a page needs; the browser's own types are not part of this project. */
export interface DomNode {
  nodeType: number;
  textContent: string | null;
  childNodes: Iterable<DomNode>;
}

export interface DomElement extends DomNode {
  localName: string;
  children: Iterable<DomElement>;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  querySelector(selector: string): DomElement | null;
  querySelectorAll(selector: string): Iterable<DomElement>;
  closest(selector: string): DomElement | null;
  remove(): void;
}

export interface DomDocument extends DomElement {
  body: DomElement;
}

const ELEMENT = 1;
const TEXT = 3;

export const isElement = (node: DomNode): node is DomElement => node.nodeType === ELEMENT;
export const isText = (node: DomNode) => node.nodeType === TEXT;

const UNREADABLE = new Set(
  `script style noscript template svg math title head iframe object embed canvas audio video
  select datalist button`.split(/\s+/),
);

/** What a person who opens the page does not see is not read either: it may have been hidden on purpose. */
export function isUnseen(element: DomElement): boolean {
  return (
    UNREADABLE.has(element.localName) ||
    element.hasAttribute('hidden') ||
    element.getAttribute('aria-hidden') === 'true' ||
    /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])/i.test(
      element.getAttribute('style') ?? '',
    )
  );
}

const BLOCKS = new Set(
  `address article aside blockquote body caption center dd details dialog div dl dt fieldset
  figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav
  ol p pre search section summary table tbody td tfoot th thead tr ul`.split(/\s+/),
);

export const isBlock = (element: DomElement) => BLOCKS.has(element.localName);

/** The text of an element as it is read: what stands in blocks of their own is kept apart. */
export function textOf(node: DomNode): string {
  if (isText(node)) return node.textContent ?? '';
  if (!isElement(node) || isUnseen(node)) return '';
  if (node.localName === 'br') return ' ';
  const text = [...node.childNodes].map(textOf).join('');
  return isBlock(node) ? ` ${text} ` : text;
}
