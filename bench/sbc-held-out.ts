import { parseQuestions } from './graded-question.js';

/**
 * Twenty questions that the form answers and eight that it does not, written after the first version of the answerer
 * and before anything was tuned, to see whether what was tuned holds for questions that nobody looked at.
 */
export const SBC_HELD_OUT_QUESTIONS = parseQuestions(`
what's the yearly deductible for my whole household | $1,000 | overall deductible | Answers | 1
if I go outside the network, what's the out-of-pocket cap for just me? | $4,000 individual | out-of-pocket limit for this plan | Answers | 1
does any care get paid before I've hit my deductible | Preventive care and primary care | covered before you meet | Answers | 1
Is lab work pricey if I use a lab that's not in network? | 40% coinsurance | Diagnostic test | Out-of-Network | 2
price of a brand-name drug that's not on the preferred list | 40% coinsurance | Non-preferred brand | Network Provider | 2
my toddler needs his vaccines, do we owe anything? | No charge | immunization | Network Provider | 2
copay for the dermotologist | $50 copay/visit | Specialist visit | Network Provider | 2
what will I pay at an urgent care clinic | $30 copay/visit | Urgent care | Network Provider | 2
Do I need prior authorization for outpatient surgery? | Preauthorization is required | ambulatory surgery center | Limitations | 2
My wife is expecting. How much is the delivery at the hospital? | 20% coinsurance | Childbirth/delivery | Network Provider | 3
coinsurance for home health aides out of network | 40% coinsurance | Home health care | Out-of-Network | 3
How many nights in a skilled nursing facility does the plan allow per year? | 60 visits/calendar year | Skilled nursing | Limitations | 3
Will they pay to put a ramp on my van? | vehicle modifications | Durable medical equipment | Limitations | 3
What's the cost for inpatient psychiatric care? | 20% coinsurance | Inpatient services | Network Provider | 3
Can I take my child to an out-of-network dentist? | Not covered | dental check-up | Out-of-Network | 3
is lap band surgery something they'd cover | Bariatric surgery | Other Covered Services | - | 4
are foot doctors for routine foot problems covered | Routine foot care | NOT Cover | - | 4
where can I find out more about the marketplace online | HealthCare.gov | Marketplace | - | 4
How much in copayments would Joe have to pay? | $900 | Joe | - | 5
total Mia pays for the broken bone | $1,100 | total Mia would pay | - | 5
What time does customer service open?
how many chiropractic visits are allowed each year?
How much does bariatric surgery cost me?
Do you reimburse mileage to the hospital?
What's my policy number?
Are IUDs free?
How soon after I join can I use the dental benefits?
Is my roof covered for hail?
`);
