import type { Assessment } from '../documents/document.js';
import type { ExtractedDocument } from '../parsing/index.js';

/** Enough to tell the language, and little enough that a thousand pages take no longer than ten. */
const LANGUAGE_SAMPLE_CHARACTERS = 20_000;
const UNREADABLE = new Set(['page-without-text', 'page-unreadable']);
/** The replacement character, private and unassigned code points, control characters, and glyphs without a name. */
const GARBLED = /\(cid:\d+\)|[\uFFFD\p{Co}\p{Cn}]|(?![\t\n\r])\p{Cc}/gu;

/** How well a document could be read, from what was read of it. */
export async function assess(extracted: ExtractedDocument, passageCount: number): Promise<Assessment> {
  const texts = extracted.blocks.flatMap(textsOf);
  return {
    pages: extracted.pageCount,
    pagesWithoutText: extracted.warnings
      .filter(({ code, page }) => page !== undefined && UNREADABLE.has(code))
      .map(({ page }) => page!),
    passages: passageCount,
    words: texts.reduce((sum, text) => sum + (text.match(/\S+/g)?.length ?? 0), 0),
    language: await languageOf(texts),
    garbledRatio: garbledRatio(texts),
    warnings: [...new Set(extracted.warnings.map((warning) => warning.code))],
  };
}

function textsOf(block: ExtractedDocument['blocks'][number]): string[] {
  if (block.kind !== 'table') return [block.text];
  return block.rows.flatMap((row) => [row.label, ...row.cells.map((cell) => cell.text)]);
}

/** 0 to 1, to four digits: garbled characters of all that are not white space. */
function garbledRatio(texts: readonly string[]): number {
  let garbled = 0;
  let all = 0;
  for (const text of texts) {
    garbled += text.match(GARBLED)?.join('').length ?? 0;
    all += text.match(/\S/g)?.length ?? 0;
  }
  return all === 0 ? 0 : Math.min(1, Math.round((garbled / all) * 10_000) / 10_000);
}

/** The detector's tables take 30 MB, so they are loaded by the first document and not at start. */
async function languageOf(texts: readonly string[]): Promise<string | null> {
  const { eld } = await import('eld/extrasmall');
  const result = eld.detect(sampleOf(texts));
  return result.isReliable() ? result.language : null;
}

/** From the whole document, because cover pages and forms are often in another language. */
function sampleOf(texts: readonly string[]): string {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const step = Math.max(1, Math.ceil(characters / LANGUAGE_SAMPLE_CHARACTERS));
  return texts
    .filter((_, i) => i % step === 0)
    .join('\n')
    .slice(0, LANGUAGE_SAMPLE_CHARACTERS);
}
