export { CitedAnswer } from './cited-answer.js';
export { generate, UnusableAnswer, type Generation } from './generate.js';
export { meteredCall } from './metered-call.js';
export { BudgetExhausted, ModelBudget, type ModelLimits, type Reservation } from './model-budget.js';
export { type CitablePassage, passagesAsData, PROMPT_VERSION, promptFor } from './prompt.js';
export { findVerbatim } from './quotes.js';
