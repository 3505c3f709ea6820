import { copay, deductible, enrollment, limits, usd } from './samples/plan-figures.js';

/** A question about the sample documents, the words its answer must contain, and the documents that say it. */
export interface SampleQuestion {
  question: string;
  /** Each of them stands in a right answer, letter case aside. */
  expected: string[];
  /** File names; more than one document may say the same. */
  sources: string[];
}

const BOOKLET = 'benefits-booklet.pdf';
const LETTER = 'claim-letter.docx';
const FAQ = 'faq.html';

export const sampleQuestions: SampleQuestion[] = [
  {
    question: 'What is the in-network deductible for one person?',
    expected: [usd(deductible.in.individual)],
    sources: [BOOKLET, FAQ],
  },
  {
    question: 'How much do I pay for an emergency room visit?',
    expected: [usd(copay.emergencyRoom)],
    sources: [BOOKLET, FAQ],
  },
  {
    question: 'Does the plan cover hearing aids?',
    expected: [`${usd(limits.hearingAidAmount)} per ear every ${limits.hearingAidMonths} months`],
    sources: [BOOKLET],
  },
  {
    question: 'Why was my MRI claim denied?',
    expected: ['prior authorization'],
    sources: [LETTER],
  },
  {
    question: 'Until what age is my child covered?',
    expected: [String(enrollment.childAge)],
    sources: [FAQ, BOOKLET],
  },
];

/** None of the sample documents answers it. */
export const unanswerableQuestion = 'Does my plan pay for flood damage to my house?';
