import type { Assessment } from '../documents/document.js';
import type { PartDetail } from '../extraction/part-detail.js';

const UNREADABLE = new Set(['page-without-text', 'page-unreadable']);

export interface Read {
  pageCount: number | null;
  passageCount: number;
  /** Of all parts. */
  detail: PartDetail;
  language: string | null;
  needsPassword: boolean;
}

/** How well a document could be read, from what was read of it. */
export function assess({ pageCount, passageCount, detail, language, needsPassword }: Read): Assessment {
  return {
    pages: pageCount,
    pagesWithoutText: detail.warnings
      .filter(({ code, page }) => page !== undefined && UNREADABLE.has(code))
      .map(({ page }) => page!),
    passages: passageCount,
    words: detail.words,
    language,
    garbledRatio: garbledRatio(detail),
    warnings: [...new Set(detail.warnings.map((warning) => warning.code))],
    ...(needsPassword && { needsPassword }),
  };
}

/** 0 to 1, to four digits: garbled characters of all that are not white space. */
export function garbledRatio({ garbled, characters }: PartDetail): number {
  return characters === 0 ? 0 : Math.min(1, Math.round((garbled / characters) * 10_000) / 10_000);
}
