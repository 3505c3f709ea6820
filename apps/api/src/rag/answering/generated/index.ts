export { CitedAnswer } from './cited-answer.js';
export { generate, UnusableAnswer, type Generation } from './generate.js';
export { BudgetExhausted, ModelBudget, type ModelLimits, type Reservation } from './model-budget.js';
export { PROMPT_VERSION, promptFor } from './prompt.js';
