import { claimCase } from './samples/claim-case.js';
import { copay, deductible, limits, usd } from './samples/plan-figures.js';

/** A question about the sample documents, the words its answer must contain, and the document that says it. */
export interface SampleQuestion {
  question: string;
  /** Each of them stands in a right answer, letter case aside. */
  expected: string[];
  /** The title or file name of a right source; more than one document may say the same. */
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
    question: 'How many physical therapy visits are covered each year?',
    expected: [String(limits.physicalTherapyVisits)],
    sources: [BOOKLET, FAQ],
  },
  {
    question: `Why was the MRI of ${claimCase.member} denied?`,
    expected: ['prior authorization'],
    sources: [LETTER],
  },
  {
    question: 'How do I get a new identification card?',
    expected: ['Order a card'],
    sources: [FAQ],
  },
];

/** None of the sample documents answers it. */
export const unanswerableQuestion = 'Does my plan pay for flood damage to my house?';
