import { DOMParser } from 'linkedom';
import type { DomNode } from './html/dom.js';
import { ParseFailure } from './parse-failure.js';

/** An element of XML. Names keep their prefixes, because office programs always write the same ones. */
export interface XmlElement extends DomNode {
  tagName: string;
  children: Iterable<XmlElement>;
  getAttribute(name: string): string | null;
}

/** The root of a document. Nothing that it refers to is loaded. @throws ParseFailure corrupt-file */
export function parseXml(content: Uint8Array | string): XmlElement {
  const text = typeof content === 'string' ? content : decodeXml(content);
  const { documentElement } = new DOMParser().parseFromString(text, 'text/xml') as unknown as {
    documentElement: XmlElement | null;
  };
  if (!documentElement) throw new ParseFailure('corrupt-file');
  return documentElement;
}

/** Office programs write UTF-8; what says that it is something else is believed. */
function decodeXml(content: Uint8Array): string {
  const wide = content[0] === 0xff ? 'utf-16le' : content[0] === 0xfe ? 'utf-16be' : undefined;
  const head = Buffer.from(content.subarray(0, 200)).toString('latin1');
  const label = wide ?? /^\s*<\?xml[^>]+encoding=["']([\w-]+)/.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label).decode(content);
  } catch {
    return new TextDecoder().decode(content);
  }
}

/** All elements of a name below, in order, without those inside an element of the same name. */
export function* findAll(element: XmlElement, name: string): Iterable<XmlElement> {
  for (const child of element.children)
    if (child.tagName === name) yield child;
    else yield* findAll(child, name);
}

/** The first element below of a name. */
export function find(element: XmlElement, name: string): XmlElement | undefined {
  for (const found of findAll(element, name)) return found;
  return undefined;
}

export const childrenNamed = (element: XmlElement, name: string) =>
  [...element.children].filter((child) => child.tagName === name);
