export { extractAnswer, type ExtractiveAnswer, type ExtractRequest } from './extract-answer.js';
export type { RetrievedPassage } from './units.js';
