import { parseQuestions } from './graded-question.js';

/**
 * Questions about the sample benefits booklet, for developing the answerer and for calibrating its abstention on prose
 * and on tables of another layout.
 */
export const BOOKLET_DEVELOPMENT_QUESTIONS = parseQuestions(`
How many hours do I have to work to be eligible? | 30 hours | Employees | - | -
Can I put my mother on my plan? | cannot be covered | Dependents | - | -
Up to what age can my kids be covered? | age 26 | Dependents or When coverage ends | - | -
I just started working here, when does my coverage begin? | first day of the month after 30 days | When coverage begins | - | -
How long is my newborn covered automatically? | first 31 days | Newborn | - | -
How many days do I have to sign up as a new employee? | 31 days | How to enroll | - | -
when was annual enrollment | November 3, 2025 | How to enroll | - | -
We are getting married, how long do we have to tell you? | 31 days | Marriage | Tell us within | -
What does the medical plan cost per month for employee and spouse? | $318 | Employee and spouse | Medical | -
Do smokers pay more? | $40 a month | Your monthly contributions | - | -
What is balance billing? | bill | The allowed amount or Glossary | - | -
out of network deductible for a family | $7,000 | Deductible, family or The deductible | - | -
Which payments never count toward the out of pocket limit? | never count toward the limit | The out-of-pocket limit | - | -
What happens if I don't get prior authorization for an out-of-network MRI? | Not paid | MRI | If it was not asked for | -
How long is an authorization valid? | 90 days | Prior authorization | - | -
How much is a telehealth visit? | $10 | Telehealth or Not sure where to go | - | -
What do I pay for a specialist in network? | $50 copay | Specialist visit | In-network | -
lab test copay | $15 copay | Laboratory tests | In-network | -
how often can I get a colonoscopy | every 10 years | Screening for cancer | Limits | -
How many nutrition counselling visits do I get? | 6 visits | Nutrition counseling | Limits | -
is the emergency room copay waived if they keep me in the hospital? | waived if you are admitted | Emergency room | - | -
how much is an air ambulance | 20% after deductible | Air ambulance | In-network | -
how long can I stay in a skilled nursing facility | 90 days | Skilled nursing facility | Limits | -
Is there a lifetime limit on fertility treatment? | $15,000 | Fertility treatment or fertility and sexual health | - | -
Do I get a breast pump? | One breast pump per birth | Lactation support | Limits | -
copay for seeing a psychiatrist | $25 copay | Psychiatrist visit | In-network | -
how much does insulin cost? | $35 for a 30-day supply | drugs | - | -
What number do I call to order drugs by mail? | 612-555-0129 | Mail order or Mail-order | - | -
How quickly do you decide about an exception to the drug list? | 72 hours | Exceptions to the drug list | - | -
Are weight loss drugs covered? | weight-loss drugs, unless | Drugs the plan does not cover | - | -
what's the dental deductible | $50 per person | Dental rider | - | -
Do you pay for braces for adults? | orthodontic treatment of adults | dental rider excludes | - | -
How much of a root canal do I pay? | 20% | Root canals | You pay | -
how often can I get new frames | Every 24 months | Frames | How often | -
How many physio visits do I have? | 30 visits | Physical and occupational therapy | Limits | -
copay for a chiropractor out of network | 40% after deductible | Chiropractic care | Out-of-network | -
Is acupuncture covered? | visits | Acupuncture or Alternative | - | -
Is a gym membership covered? | gym memberships | Weight, fertility | - | -
How much do you pay for hearing aids? | 20% after deductible | Hearing aids or Teeth, eyes and ears | - | -
Can I get a wig after chemo? | One per plan year | Wigs after cancer treatment | - | -
where do I mail a claim | P.O. Box 40010 | What to send or Claims | - | -
How long do I have to file a claim? | 12 months | What to send or Timely filing or Glossary | - | -
how fast do you decide an urgent claim before treatment? | 72 hours | Urgent care, before treatment | We decide within | -
What does reason code PA-04 mean? | Prior authorization was required and not obtained | PA-04 | Meaning | -
How many days do I have to appeal a denial? | 180 days | First appeal | - | -
Where can I fax my appeal? | 612-555-0144 | First appeal or Appeals | - | -
What is the time limit for an external review? | 4 months | External review | - | -
I am 67 and still working: who pays first, Medicare or this plan? | This plan | Age 65 or older | Pays first | -
How long can I continue coverage after I lose my job? | 18 months | Employment ends | At most | -
what does continuation cost for a family per month | $2,101.20 | Family | Months 1 to 18 | -
phone number for questions about dental claims | 612-555-0171 | dental rider | - | -
what is step therapy | proven drug of a lower tier | Step therapy or Rules for some drugs or Glossary | - | -
what's a rider? | Optional coverage | Glossary | - | -
When does my coverage end if I quit my job? | last day of the month | When coverage ends | - | -
generic drugs by mail order price | $25 | Tier 1 | Mail order | -
Is emergency care abroad covered? | covered worldwide | Care while you travel | - | -
What's the group number? | QI-20417 | Group number or Group QI | - | -
Who is the insurer? | Fernhollow Mutual Health | Insurer | Fact | -
Do you give discounts if I pay once a year?
What is the employer's 401k match?
Is my rental car insured?
How many sick days do I get?
Can I pay my contributions by credit card?
What are the opening hours of the benefits office?
How much is the death benefit?
Who is the chief executive of Fernhollow?
How many employees does Quillstone have?
What is the interest on late payments?
Does the plan cover surgery for my dog?
What is the waiting period for the vision rider?
How long does a hip replacement take?
How many dialysis sessions are covered?
Does my home insurance cover burst pipes?
Can I see Dr. Smith next week?
Is the plan available in Canada?
What is the bonus for staying healthy?
How much do you pay for a funeral?
How many transplants has the hospital done?
What is the copay for a podiatrist out of state?
Are eye drops covered by the vision rider?
How much will I pay in taxes?
Which pharmacy is open on Sunday?
What is my member number?
Do you cover a sauna?
How old must I be to retire?
Is there a fee for cancelling the plan early?
How many visits to the nurse line are allowed?
When will my claim from last March be paid?
Broke my ankle on Saturday night, what's the bill at urgent care? | $60 | Urgent care center or Not sure where to go | - | -
my therapist appointments - is there a cap? | No limit on visits | Outpatient counseling | Limits | -
My wife wants to give birth in a birth center, okay? | licensed birth center | Delivery | Limits | -
how long before the new card gets here | 10 business days | identification card or How to enroll | - | -
I want to add my girlfriend, we have lived together for two years | domestic partner | Dependents | - | -
How much is the reduction if I skip prior auth for a hospital stay out of network? | $500 | hospital | - | -
my kid is 25 and in grad school, still covered? | up to age 26 | Dependents | - | -
do i have to pay for a colonoscopy at 50 | No charge | Screening for cancer | In-network | -
Is there a nurse I can call at 3am? | 612-555-0117 | phone call away or Nurse line or Not sure where to go | - | -
what if my claim is late | later claim is paid only | What to send | - | -
how do I get a 3 month supply of my pills | 90-day supply | Mail order | - | -
how much of a crown does my dental plan pay | 50% | Crowns | Plan pays | -
can I sue you after losing my appeal | go to court | After the appeals | - | -
I'm getting laid off, how many days do I have to sign up for continuation? | 60 days | Deadlines of continuation | - | -
how much is continuation for just one person the first 18 months | $724.20 | One person | Months 1 to 18 | -
Will my boss see my medical records? | Your employer receives | Privacy | - | -
how do I report fraud? | 612-555-0190 | Fraud | - | -
do I pay separately for the ER doctor? | Included in the copay | Physicians in the emergency room | - | -
how much do you pay towards a wig | $400 | Wigs | - | -
what's the yearly maximum for dental | $1,500 per person | Dental rider | - | -
is my travel vaccine covered | vaccines needed only for travel | Foot, travel and other care | - | -
How many visits to a speech therapist? | 20 visits | Speech therapy | Limits | -
What do I owe at the pharmacy for a tier 3 drug? | $80 | Tier 3 | Retail | -
how do I become a nurse for you
do you insure boats
what's for lunch
is marijuana covered
how much does the CEO make
how many doctors are in the network
where is the nearest pharmacy
what is my deductible balance so far
who is my case manager
can I get a loan
Do you cover meals on wheels?
What is the copay for a marriage counselor on weekends?
Is there a prize for losing weight?
How long do I wait in the emergency room?
`);
