import { parseQuestions } from './graded-question.js';

/**
 * Questions about the same form for developing the answerer and for calibrating its abstention. They are neither the
 * released nor the held-out set. Many of the unanswered ones name a topic of the form and ask what it does not say.
 */
export const SBC_DEVELOPMENT_QUESTIONS = parseQuestions(`
What is my family deductible? | $1,000 | overall deductible | Answers | 1
how big is the deductible for one person | $500 | overall deductible | Answers | 1
Is anything covered before I meet the deductible? | Preventive care and primary care | covered before you meet | Answers | 1
Does occupational therapy have its own deductible? | $300 for occupational therapy | other deductibles | Answers | 1
What's the out of pocket maximum for a family out of network? | $8,000 family | out-of-pocket limit for this plan | Answers | 1
What costs do not count towards my out-of-pocket limit? | balance-billing | not included in the out-of-pocket | Answers | 1
Is it cheaper to use a doctor in the network? | Yes | pay less if you use a network provider | Answers | 1
Can I see a dermatologist without a referral? | Yes | need a referral to see a specialist | Answers | 1
what is balance billing | difference between the provider | use a network provider | Why This Matters | 1
Does balance billing count towards the out of pocket limit? | balance-billing | not included in the out-of-pocket | Answers | 1
When does this coverage start and end? | 01/01/2025 | Coverage Period | - | 1
How much does a specialist visit cost? | $50 copay/visit | Specialist visit | Network Provider | 2
what would a cardiologist outside the network cost | 40% coinsurance | Specialist visit | Out-of-Network | 2
Do I have to pay for a flu shot? | No charge | immunization | Network Provider | 2
How much is a yearly check up with an out of network doctor? | 40% coinsurance | Preventive care | Out-of-Network | 2
cost of blood tests | $10 copay/test | Diagnostic test | Network Provider | 2
I broke my arm, what does an x-ray cost? | $10 copay/test | Diagnostic test | Network Provider | 2
How much do I pay for a CT scan at an out-of-network hospital? | 40% coinsurance | Imaging | Out-of-Network | 2
What are the costs of brand name medicine? | $30 copay/prescription | brand drugs | Network Provider | 2
How much are specialty meds? | 50% coinsurance | Specialty drugs | Network Provider | 2
what do i pay for non preferred brand drugs out of network | 60% coinsurance | Non-preferred brand | Out-of-Network | 2
How large a supply of pills can I pick up at the drugstore? | 30-day supply | drugs | Limitations | 2
What does outpatient surgery cost per day at a surgery center? | $100/day copay | ambulatory surgery center | Network Provider | 2
How much do I owe for anesthesia? | 50% coinsurance for anesthesia | Physician/surgeon fees | Limitations | 2
urgent care copay | $30 copay/visit | Urgent care | Network Provider | 2
Is the emergency room more expensive out of network? | 20% coinsurance | Emergency room care | Out-of-Network | 2
Do I need approval before I go into hospital? | Preauthorization is required | hospital room | Limitations | 3
What does the surgeon cost if I am admitted? | 20% coinsurance | Physician/surgeon fees | Network Provider | 3
How much for counselling? | $35 copay/office visit | Outpatient services | Network Provider | 3
What would rehab for alcohol addiction cost if I have to stay there? | 20% coinsurance | Inpatient services | Network Provider | 3
How much are prenatal visits? | 20% coinsurance | Office visits | Network Provider | 3
what do we pay for giving birth in the hospital? | 20% coinsurance | Childbirth/delivery | Network Provider | 3
Is an ultrasound part of maternity care? | ultrasound | pregnant | Limitations | 3
How many home nurse visits am I allowed? | 60 visits/year | Home health care | Limitations | 3
Is speech therapy included? | speech therapy | ehabilitation services | Limitations | 3
Limit on days in a skilled nursing facility? | 60 visits/calendar year | Skilled nursing | Limitations | 3
Do you pay for a wheelchair? | 20% coinsurance | Durable medical equipment | Network Provider | 3
Would grab bars in my bathroom be paid for? | bathroom equipment | Durable medical equipment | Limitations | 3
end of life care at home: is preauthorization needed? | Preauthorization is required | Hospice | Limitations | 3
How many eye exams per year does my daughter get? | one exam/year | eye exam | Limitations | 3
kids dentist visit cost | No charge | dental check-up | Network Provider | 3
Can my son get an eye test from an out of network optometrist? | Not covered | eye exam | Out-of-Network | 3
Does it cover a nose job? | Cosmetic surgery | NOT Cover | - | 4
Are hearing aids covered? | Hearing aids | Other Covered Services | - | 4
Do they pay for my own dental care? I am 40 | Dental care (Adult) | NOT Cover | - | 4
Am I covered for a nursing home long term? | Long-term care | NOT Cover | - | 4
Is weight loss surgery covered? | Bariatric surgery | Other Covered Services | - | 4
chiropractor covered? | Chiropractic care | Other Covered Services | - | 4
If I get sick on vacation abroad but it is no emergency, am I covered? | Non-emergency care when traveling | NOT Cover | - | 4
Does the plan count as minimum essential coverage? | Yes | Minimum Essential Coverage | - | 4
Who can help me if my claim is denied? | agencies that can help | Grievance and Appeals | - | 4
Does the plan meet minimum value standards? | Yes | Minimum Value | - | 4
How much would Joe pay in total for his diabetes? | $1,820 | total Joe would pay | - | 5
What is the total cost of Mia's fracture example? | $2,800 | Total Example Cost | - | 5
How much coinsurance does Peg pay? | $1,800 | Coinsurance | - | 5
What is my monthly premium?
How much does the plan cost each month for a family?
When is the open enrollment period?
How long is the waiting period before coverage begins?
What is the phone number of customer service in Texas?
Where do I mail my claim form?
How long do I have to submit a claim?
Until what age can my children stay on the plan?
Is there a lifetime maximum benefit?
Is dialysis covered?
What is the copay for chemotherapy?
Do you cover LASIK?
How much does an organ transplant cost me?
Are vasectomies covered?
Does the plan cover massage?
How many acupuncture visits do I get?
How much do hearing aids cost?
Who is the CEO of the insurance company?
What is the interest rate of my loan?
Does it cover damage to my car?
What is the payout if I die?
Is my house insured against flood?
Can I get my money back for a cancelled flight?
What is the penalty for paying my premium late?
How do I add my newborn to the plan?
Do I get a discount for a gym membership?
Are breast pumps free?
How many days can I stay in the hospital?
Is insulin on the formulary?
What is the allowed amount for a knee replacement?
Does the plan pay for a second opinion?
Can I contribute to a health savings account?
How much does COBRA cost?
Which hospitals are in the network in Chicago?
What is the group number on my ID card?
Does my pet get covered by this policy?
How long does preauthorization take?
Who pays first if I also have Medicare?
What is the weather tomorrow?
How many days of sick leave do I have?
If I blow out my knee and need a surgeon, what percentage of the bill is mine? | 20% coinsurance | Physician/surgeon fees | Network Provider | -
My little guy has an ear infection, what will the pediatrician visit run me? | $35 copay | Primary care visit | Network Provider | 2
we just found out we're having twins - what are we on the hook for when they're born | 20% coinsurance | Childbirth/delivery | Network Provider | 3
Got a nasty rash. What's it going to set me back to see a skin specialist? | $50 copay | Specialist visit | Network Provider | 2
Can I go straight to a specialist or do I have to see someone else first? | Yes | need a referral | Answers | 1
what if I forget to get preauthorized before outpatient surgery | reduced by 50% | ambulatory surgery center | Limitations | 2
Is the ambulance ride covered if I call 911? | 20% coinsurance | Emergency medical transportation | Network Provider | 2
how much is a month of generic Lipitor | $10 copay | Generic drugs | Network Provider | 2
I take an expensive biologic, what's my cut? | 50% coinsurance | Specialty drugs | Network Provider | 2
My husband drinks too much, is there coverage for detox? | coinsurance | substance abuse services | Network Provider | 3
Would they cover someone coming to our house to care for mom after her stroke? | 60 visits/year | Home health care | Limitations | 3
Can I get Botox on this plan? | Cosmetic surgery | NOT Cover | - | 4
what's the family max if we only use network docs | $5,000 family | out-of-pocket limit for this plan | Answers | 1
Do copays count towards my yearly maximum? | Copayments for certain services | not included in the out-of-pocket | Answers | 1
is my yearly mammogram free | No charge | Preventive care | Network Provider | 2
Can my kid's glasses be replaced twice a year? | one pair of glasses/year | glasses | Limitations | 3
do you pay for hearing aids for grandpa | Hearing aids | Other Covered Services | - | 4
I hurt my back, can I see a chiropractor on this plan? | Chiropractic care | Other Covered Services | - | 4
what's the tab for a CAT scan | $50 copay/test | Imaging | Network Provider | 2
Is hospice something you need approval for? | Preauthorization is required | Hospice | Limitations | 3
what did Mia have to pay in total for her broken bone in the example | $1,100 | total Mia would pay | - | 5
what's the penalty for not getting hospital care preauthorized | reduced by 50% | hospital room | Limitations | 3
Is a private nurse paid for? | Private-duty nursing | NOT Cover | - | 4
My roommate broke my laptop, is that on you?
what's the password for the portal
how many days until my ID card shows up
Do you cover Ozempic?
is circumcision paid for
Can I see my claims in an app?
what's your stock price
Will my premium go up next year?
Is there a fee if I pay by check?
Does the deductible reset in January?
who underwrites this policy
Is my ex-wife still on the plan?
am I covered while skydiving
how many weight loss sessions are covered
Do braces for my teenager count as covered?
`);
