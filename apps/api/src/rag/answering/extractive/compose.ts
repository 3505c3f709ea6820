import { timeLabel } from '../../passages/time.js';
import type { Span } from '../../text/index.js';
import type { Citation } from '../answer.js';
import { citationOf } from '../citation-of.js';
import type { RetrievedPassage } from '../../retrieval/retriever.js';

/** A piece of a passage that is quoted, with what a reader needs to make sense of it. */
export interface Quote {
  passage: RetrievedPassage;
  span: Span;
  /** Where it stands, in the document's words: row label, group, column header, list lead or heading. */
  label: string;
  column: string;
}

export interface Composed {
  text: string;
  citations: Citation[];
}

/** The answer when nothing fits; it is not a claim about what the plan does, only about the documents. */
export const NOT_IN_DOCUMENTS = 'I did not find the answer to this in your documents.';
const UNSURE = 'I am not sure that your documents answer this. The passages that come closest:';

/** One line for each quote, with its label and column before it and its marker behind it. */
export function composeAnswer(quotes: Quote[]): Composed {
  return compose('', quotes, ({ label, column }) => [plain(label), column].filter(Boolean).join(' — '));
}

/** The same, saying plainly that none of the quotes may be the answer, with pages or times to look at. */
export function composeUnsure(quotes: Quote[]): Composed {
  return compose(UNSURE, quotes, ({ label, column, passage }) => {
    const page = passage.page === null ? '' : `Page ${passage.page}`;
    return [page, timeLabel(passage), plain(label), column].filter(Boolean).join(' — ');
  });
}

/** A label without its closing colon and without a long remark in brackets. */
const plain = (label: string) =>
  label
    .trim()
    .replace(/\s*\([^()]{40,}\)?$/, '')
    .replace(/:$/, '');

function compose(opening: string, quotes: Quote[], introduce: (quote: Quote) => string): Composed {
  let text = opening;
  const citations = quotes.map((quote, i): Citation => {
    const introduction = introduce(quote);
    text += `${text ? '\n' : ''}${introduction}${introduction ? ': ' : ''}"`;
    const answerStart = text.length;
    text += quote.passage.text.slice(quote.span.start, quote.span.end);
    const answerEnd = text.length;
    text += `" [${i + 1}]`;
    return { ...citationOf(quote, i + 1), answerStart, answerEnd };
  });
  return { text, citations };
}
