import type { Assessment } from '../documents/document.js';
import type { PartDetail } from '../extraction/part-detail.js';

/** Enough to tell the language, and little enough that a thousand pages take no longer than ten. */
export const LANGUAGE_SAMPLE_CHARACTERS = 20_000;
const UNREADABLE = new Set(['page-without-text', 'page-unreadable']);

export interface Read {
  pageCount: number | null;
  passageCount: number;
  /** Of all parts. */
  detail: PartDetail;
  /** Some of its texts, from everywhere, because cover pages and forms are often in another language. */
  sample: readonly string[];
}

/** How well a document could be read, from what was read of it. */
export async function assess({ pageCount, passageCount, detail, sample }: Read): Promise<Assessment> {
  return {
    pages: pageCount,
    pagesWithoutText: detail.warnings
      .filter(({ code, page }) => page !== undefined && UNREADABLE.has(code))
      .map(({ page }) => page!),
    passages: passageCount,
    words: detail.words,
    language: await languageOf(sample),
    garbledRatio: garbledRatio(detail),
    warnings: [...new Set(detail.warnings.map((warning) => warning.code))],
  };
}

/** 0 to 1, to four digits: garbled characters of all that are not white space. */
export function garbledRatio({ garbled, characters }: PartDetail): number {
  return characters === 0 ? 0 : Math.min(1, Math.round((garbled / characters) * 10_000) / 10_000);
}

/** ISO 639-1; null when there is too little to say. The detector's tables take 30 MB, so the first document loads them. */
async function languageOf(texts: readonly string[]): Promise<string | null> {
  const { eld } = await import('eld/extrasmall');
  const result = eld.detect(sampleOf(texts));
  return result.isReliable() ? result.language : null;
}

/** Every second text, or third …, so that the whole is spread over all of them. */
export function sampleOf(texts: readonly string[], characters = LANGUAGE_SAMPLE_CHARACTERS): string {
  const all = texts.reduce((sum, text) => sum + text.length, 0);
  const step = Math.max(1, Math.ceil(all / characters));
  return texts
    .filter((_, i) => i % step === 0)
    .join('\n')
    .slice(0, characters);
}
