import { parseQuestions } from './graded-question.js';

/**
 * Questions about the model "Summary of Benefits and Coverage" (the form that US health plans must hand out), in a
 * member's words: twenty that the form answers and three that it does not. They were written from the printed form,
 * before the answerer existed.
 */
export const SBC_QUESTIONS = parseQuestions(`
How much do I have to pay myself before the insurance kicks in? | $500 | overall deductible | Answers | 1
whats the most I could end up paying in a year if I stay in network | $2,500 individual | out-of-pocket limit for this plan | Answers | 1
Do I need my doctor to refer me before I see a specialist? | Yes | need a referral to see a specialist | Answers | 1
Is there a separate deductible for perscriptions? | $300 for prescription drug coverage | other deductibles for specific services | Answers | 1
Do my monthly premiums count toward the out of pocket max? | premiums | not included in the out-of-pocket limit | Answers | 1
what does it cost to see my family doctor? | $35 copay/office visit | Primary care visit | Network Provider | 2
How much is an MRI? | $50 copay/test | Imaging | Network Provider | 2
what do I pay at the pharmacy for a generic | $10 copay/prescription | Generic drugs | Network Provider | 2
how many days of medication can I get by mail order? | 31-90 day supply | drugs | Limitations | 2
What happens if I see a specialist without getting preauthorization first? | reduced by 50% | Specialist visit | Limitations | 2
How much would a trip to the ER cost me? | 20% coinsurance | Emergency room care | Network Provider | 2
I had to call an ambulence, what's my share of the bill? | 20% coinsurance | Emergency medical transportation | Network Provider | 2
how much is it to stay in the hospital overnight? | 20% coinsurance | hospital room | Network Provider | 3
What will I pay for a therapist who isn't in the network? | 40% coinsurance | Outpatient services | Out-of-Network Provider | 3
How many physio sessions do I get per year? | 60 visits/year | Rehabilitation services | Limitations | 3
How often can my kid get new glasses? | one pair of glasses/year | glasses | Limitations | 3
Is acupuncture covered? | Acupuncture | Other Covered Services | - | 4
Will the plan pay for infertility treatment? | Infertility treatment | NOT Cover | - | 4
What number do I call about the Health Insurance Marketplace? | 1-800-318-2596 | Marketplace | - | 4
In the baby example, how much does Peg pay altogether? | $2,560 | total Peg would pay | - | 5
How many days do I have to appeal a denied claim?
What is the copay for a video visit with a doctor?
Does it pay for my luggage if the airline loses it?
`);
