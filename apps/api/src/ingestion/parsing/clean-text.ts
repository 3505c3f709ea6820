/**
 * Characters that a reader cannot see and that could carry hidden instructions or break a search: the Tag block,
 * variation selectors, zero-width spaces and joiners, bidirectional overrides and control characters.
 */
const INVISIBLE = /(?![\t\n\v\f\r\u00AD])[\p{Cc}\p{Cf}\p{Variation_Selector}]/gu;

/** Latin ligatures, which fonts draw as one glyph and nobody types into a search box. */
const LIGATURES = /[\uFB00-\uFB06]/g;

/** Symbol fonts put their bullets and ticks at code points that mean nothing to anybody else. */
const PRIVATE_USE = /[\uE000-\uF8FF]/g;

/** One line of text as people read and type it: no invisible characters, no ligatures, single spaces, trimmed. */
export function cleanText(text: string): string {
  return visibleText(text).replace(/\s+/g, ' ').trim();
}

/** Like `cleanText`, but white space stays as it is. */
export function visibleText(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .replace(PRIVATE_USE, ' ')
    .replace(LIGATURES, (ligature) => ligature.normalize('NFKC'))
    .normalize('NFC');
}

/** A list item's text without its bullet; numbers and letters stay, because texts refer to them. */
export function withoutBullet(text: string): string {
  return text.replace(/^[•▪●◦‣⁃∙·■□▢➢➤✓✔*–—-]\s+/u, '');
}
