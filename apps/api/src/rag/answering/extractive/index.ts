export { extractAnswer, type ExtractiveAnswer, type ExtractRequest } from './extract-answer.js';
