/** What retrieval and answering agree on about English text: where its words and sentences are, and their stems. */
export { sentencesOf, type Span } from './sentences.js';
export { stem } from './stem.js';
export { runsOf, tokenize, type Token } from './tokens.js';
