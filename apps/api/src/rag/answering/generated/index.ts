export { CitedAnswer } from './cited-answer.js';
export { generate, UnusableAnswer, type Generation } from './generate.js';
export { PROMPT_VERSION, promptFor } from './prompt.js';
