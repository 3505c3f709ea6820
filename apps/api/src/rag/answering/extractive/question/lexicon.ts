import type { AnswerType } from './answer-type.js';

/**
 * How members say what insurance documents state. One line is one concept: phrases separated by commas mean the same;
 * phrases behind `>` are broader terms under which a document may state it (a question for the left side is also
 * answered, less surely, by the right side, but not the other way round). A leading number is the concept's salience
 * in a question, 1 unless told: people and periods say less about what is asked than the name of a treatment. A kind of
 * answer in brackets states the concept as well: a telephone number states "phone number". Phrases are matched by
 * their stems; `~` stands for up to five words.
 */
const CONCEPT_LINES = `
physio, physiotherapy, physiotherapist, pt, physical therapy, physical therapist > rehabilitation services, rehabilitation, therapy
occupational therapy, occupational therapist > rehabilitation services, rehabilitation, therapy
speech therapy, speech therapist, speech pathology > rehabilitation services, rehabilitation, therapy
rehab, rehabilitation, rehabilitation services, rehabilitative services
habilitation, habilitation services, habilitative services
er, emergency room, emergency department, emergency care, a and e, casualty department > emergency
0.8 emergency, emergencies, urgent medical attention, immediate medical attention
ambulance, emergency medical transportation, emergency transport, ambulance ride, air ambulance > medical transportation
urgent care, walk in clinic, urgent care center, urgent care centre, minute clinic
gp, general practitioner, family doctor, family physician, primary care, primary care physician, primary care provider, primary care doctor, pcp, regular doctor, family practice, pediatrician, paediatrician, internist > doctor
0.6 doctor, doctors, docs, doc, physician, dr, practitioner > provider
doctor's visit, doctor's appointment, doctor visit, see a doctor, see my doctor, see the doctor, visit to the doctor, office visit, doctor's office > primary care visit, primary care
specialist, specialists > doctor
dermatologist, skin doctor, cardiologist, heart doctor, neurologist, allergist, urologist, orthopedist, gastroenterologist, rheumatologist, endocrinologist, oncologist, ent doctor, podiatrist > specialist
gynecologist, ob gyn, obgyn, obstetrician > specialist, maternity
surgeon, surgeon's fee, surgeon fees, surgical fees, physician surgeon fees, physician fee > surgery
surgery, surgeries, operation, operations, operated, surgical procedure, surgical > procedure
outpatient surgery, day surgery, ambulatory surgery, same day surgery, surgery center, outpatient procedure
anesthesia, anaesthesia, anesthetic, anaesthetic, anesthesiologist, put under, put to sleep
facility fee, hospital fee, facility charge
checkup, check up, physical, annual physical, yearly physical, wellness visit, wellness exam, well visit, yearly exam, annual exam, preventive care, preventative care, preventive services, routine physical > preventive
screening, mammogram, colonoscopy, pap smear, cancer screening, prostate exam > preventive care, preventive
shot, shots, jab, jabs, vaccine, vaccines, vaccination, vaccinations, flu shot, immunization, immunizations, immunisation, inoculation, booster > preventive care, preventive
x ray, xray, x rays, xrays, radiograph, radiography > diagnostic test, imaging
blood test, blood tests, blood work, bloodwork, lab work, labs, lab test, lab tests, laboratory tests, laboratory services > diagnostic test, laboratory
diagnostic test, diagnostic tests, diagnostic testing > test
mri, mris, magnetic resonance > imaging
ct, cat scan, ct scan, ct scans, pet scan, pet scans, ct pet scans > imaging, scan
ultrasound, ultrasounds, sonogram > imaging
imaging, scan, scans, advanced imaging
biopsy > diagnostic test
prescription, prescriptions, prescription drug, prescription drugs, drug, drugs, medication, medications, medicine, medicines, meds, pills, pill, tablets, rx
generic, generics, generic drug, generic drugs, generic medication, generic medicine, tier 1
brand name, brand drug, brand drugs, brand name drugs, branded, preferred brand, preferred brand drugs, tier 2 > brand
non preferred brand, non preferred brand drugs, nonpreferred, tier 3
specialty drugs, specialty drug, specialty medication, specialty medications, specialty meds, biologics, tier 4
pharmacy, pharmacies, drugstore, drug store, chemist, retail pharmacy > retail, prescription
mail order, mail order pharmacy, home delivery, by mail
0.8 refill, refills, supply, day supply
formulary, drug list, covered drugs, list of drugs
0.8 hospital, hospitals, inpatient, in patient, overnight, hospitalization, hospitalisation, hospitalized > facility
hospital stay, stay ~ hospital, hospital admission, admitted, night ~ hospital, overnight ~ hospital, hospital overnight, hospital room, inpatient stay, inpatient hospital, go into hospital, go into the hospital, days ~ hospital > hospital
shrink, therapist, therapists, psychiatrist, psychologist, psychiatric, counseling, counselling, counselor, counsellor, psychotherapy, talk therapy, mental health, mental health services, mental healthcare, behavioral health, behavioural health, mental illness, depression, anxiety > mental health outpatient services
addiction, addicted, alcoholism, alcoholic, alcohol, drug abuse, drug rehab, detox, substance abuse, substance use, substance use disorder, substance abuse services
0.8 outpatient, out patient, outpatient services
inpatient services, residential treatment
pregnancy, pregnant, maternity, maternity care, expecting a baby > childbirth, office visits
birth, births, give birth, giving birth, given birth, having a baby, have a baby, having my baby, deliver a baby, baby, delivery, childbirth, child birth, labor and delivery, labour, c section, cesarean, delivering, childbirth delivery, born > pregnant, maternity
prenatal, prenatal care, antenatal, prenatal visit, prenatal visits, pregnancy checkup, pre natal care > pregnant, maternity, office visits
newborn, new baby, infant > baby
midwife, midwives, doula > childbirth
fertility, infertility, infertility treatment, fertility treatment, ivf, in vitro fertilization, in vitro, iui, artificial insemination
birth control, contraception, contraceptive, contraceptives, family planning, the pill, iud > preventive
abortion, termination of pregnancy
home health, home health care, home nurse, home nursing, visiting nurse, nurse at home, care at home, home care, home help, nurse visits at home
private duty nursing, private nurse, private nursing
nursing home, nursing homes, long term care, longterm care, old age home, custodial care, assisted living
skilled nursing, skilled nursing care, skilled nursing facility, snf
wheelchair, wheelchairs, crutches, walker, walkers, oxygen, cpap, hospital bed, medical equipment, durable medical equipment, dme, glucose meter > equipment
prosthesis, prosthetic, prosthetics, artificial limb, orthotics, braces for the leg > durable medical equipment
bathroom equipment, grab bars, grab bar, shower chair, bath seat > equipment
home modifications, stair lift, stairlift, wheelchair ramp, ramp > modifications
vehicle modifications, car modifications > modifications
hospice, hospice care, hospice services, end of life, end of life care, palliative, palliative care, terminally ill, terminal illness
eye exam, eye exams, eye test, eye check, vision exam, vision test, eye doctor, optometrist, eyesight > eye, vision, eye care
glasses, eyeglasses, spectacles, eyewear, contact lenses, lenses, frames > vision, eye
vision, vision care, eye care, eyes, eye
lasik, laser eye surgery, refractive surgery
dentist, dentists, dental, dental care, teeth, tooth, dental check up, dental checkup, dentist visit, teeth cleaning, dental cleaning > dental services
orthodontia, orthodontics, orthodontist, braces, retainer
dentures, false teeth, dental implants, implants, crown, crowns, root canal, filling, fillings
hearing aid, hearing aids, deaf, hard of hearing > hearing
chiropractor, chiropractors, chiropractic, chiropractic care, spinal manipulation
acupuncture, acupuncturist, acupuncture needles
massage, massage therapy, massages
weight loss, weight loss program, weight loss programs, losing weight, lose weight, diet program, slimming
bariatric, bariatric surgery, weight loss surgery, gastric bypass, stomach stapling, gastric sleeve, lap band
cosmetic surgery, cosmetic, plastic surgery, nose job, face lift, facelift, tummy tuck, botox, liposuction, breast augmentation, breast implants, boob job
foot care, routine foot care, foot doctor, feet, pedicure
gym, gym membership, health club, fitness, fitness center, wellness program
telehealth, telemedicine, virtual visit, virtual visits, video visit, video visits, video appointment, video consultation, online doctor, phone consultation, e visit
dialysis, kidney dialysis, hemodialysis
chemo, chemotherapy, radiation, radiation therapy, radiotherapy, cancer treatment, cancer
transplant, transplants, organ transplant
diabetes, diabetic, type 2 diabetes, insulin, blood sugar
fracture, broken bone, broken arm, broken leg, broke my arm, broke my leg, broken, bone fracture
clinical trial, clinical trials, experimental, experimental treatment, investigational
second opinion, second opinions
genetic test, genetic testing, genetic tests
0.4 [amount] copay, copays, copayment, copayments, co pay, co payment
0.4 [amount] coinsurance, co insurance, my percentage, percentage i pay
deductible, deductibles, before ~ kicks in, before ~ starts to pay, before ~ starts paying, before ~ begins to pay, before insurance pays, before the plan pays, excess
out of pocket limit, out of pocket max, out of pocket maximum, out of pocket, oop max, oop, moop, max ~ pay, maximum ~ pay, most ~ pay, most ~ spend, yearly maximum, annual maximum, yearly cap, annual cap, stop paying
premium, premiums, monthly premium, monthly cost, monthly payment, cost per month, cost each month, pay each month, pay every month, contribution, contributions, payroll deduction
allowed amount, eligible expense, payment allowance, negotiated rate
balance billing, balance bill, balance billed, surprise bill, surprise billing
preauthorization, prior authorization, pre authorization, preauthorisation, prior approval, preapproval, pre approval, precertification, pre certification, prior auth, approval, approved first, permission, authorization, certification
referral, referrals, referred, refer, refer me, refers me, doctor's permission
0.5 network, in network, participating, preferred provider, contracted
appeal, appeals, grievance, grievances, complain, complaint, complaints, dispute, disagree, contest, challenge > rights
0.8 claim, claims, reimbursement, reimbursed, reimburse
denied, deny, denial, denies, rejected, reject, rejection, refused, refuse, turned down, declined, decline
[time] deadline, time limit, time limits, how long do i have, how long do we have, how many days do i have, how much time do i have, by when > you have, within, no later than
0.4 exclusion, exclusions, excluded, exclude, excludes, not covered, isn't covered, aren't covered, not cover, doesn't cover, does not cover, won't cover, not included
smoker, smokers, smoke, smoking, tobacco, cigarettes, vape, vaping, nicotine
marriage, married, marry, getting married, get married, wedding, newlywed
divorce, divorced, legal separation, legally separated
0.6 mother, mom, mum, father, dad, parents, my parents, in laws, grandmother, grandfather, grandparents
0.4 [count] limit, limits, limited, limitation, limitations, cap, maximum number, allowance
lifetime maximum, lifetime limit, lifetime benefit, per lifetime > lifetime
waiting period, waiting time
pre existing, pre existing condition, preexisting condition, preexisting
enroll, enrol, enrollment, enrolment, sign up, join the plan, open enrollment
dependent, dependents, dependant, dependants > family
0.7 spouse, husband, wife, partner, domestic partner > dependents, family
0.6 child, children, children's, child's, kid, kids, kid's, son, sons, son's, daughter, daughters, daughter's, little one, boy, girl, toddler, teenager, minor > dependents
0.6 family, families, household, all of us, family members
0.5 individual, one person, single person, per person, each person, just me, only me, by myself, self only, single coverage
0.6 adult, adults, grown up, grown ups, grownups
0.8 effective date, coverage period, start date, starts, begin, begins, takes effect, come into force, inception
0.8 end date, expires, expire, expiration, expiry, terminates, termination, ends, cancellation date, end of coverage
cancel, cancelling, canceling, cancellation, cancelled, terminate, quit the plan
continue coverage, continue my coverage, keep my coverage, keep my insurance, keep my plan, keep the coverage, cobra, continuation coverage > continuation, continued
lose my job, lost my job, leave my job, losing my job, quit my job, quit, resign, laid off, fired, get fired, retire, employment ends, leave the company, leave work, termination of employment > employment
marketplace, exchange, obamacare, healthcare.gov
medicare, medicaid
tax credit, tax credits, premium tax credit, tax subsidy, subsidy, subsidies
health savings account, hsa, flexible spending account, fsa, hra
abroad, overseas, worldwide, outside the united states, foreign country, another country, other countries, outside the country, outside the u.s, outside the us, out of the country, traveling, travelling, traveling outside, on vacation, on holiday, international
coordination of benefits, other insurance, two insurances, secondary insurance, second insurance
0.5 [phone] phone, telephone, phone number, telephone number, number to call, hotline, helpline, number do i call, number should i call, number can i call
0.6 [address] address, mailing address, p o box, po box > mail
0.8 mail, mails, send, submit, post
0.6 [website] website, web site, web page, url, online, internet
0.6 [time] how quickly, how fast, how soon, how long does it take, how long do you take > within
[time] opening hours, office hours, business hours, hours of operation, open on > hours
id card, member card, insurance card, membership card
penalty, penalties, fined, reduced, reduction, lower benefits
doctor's note, proof, documentation, documents, paperwork, evidence
0.3 year, yearly, annual, annually, per year, a year, each year, every year, calendar year, plan year, per annum
0.4 month, monthly, per month, each month
0.3 visit, visits, session, sessions, appointment, appointments
0.3 free, free of charge, no charge, at no cost, without cost
minimum essential coverage, mec
minimum value, minimum value standards
0.5 total, totals, altogether, in total, all told, all in all, sum
cheaper, less expensive, pay less, lower cost, save money, costs less
more expensive, pay more, pay the most, dearer, surcharge, higher cost
0.4 illness, illnesses, sick, ill, infection, disease, unwell
0.5 house, my house, our house, at home > home
0.5 example, examples, scenario, scenarios, sample
0.4 summary, summary of benefits
car insurance, auto insurance, motor insurance, vehicle insurance, insure my car, insurance on a car, automobile insurance
home insurance, homeowners insurance, house insurance, renters insurance, property insurance, landlord insurance
pet insurance, pet, pets, dog, dogs, cat, cats, puppy, vet, veterinarian
travel insurance, trip insurance
long term disability, short term disability, disability insurance
maternity leave, paternity leave, parental leave, family leave, sick leave, sick days, medical leave
rental car, rental vehicle, hire car, loaner, replacement car
car, auto, automobile, vehicle, truck
accident, collision, crash, crashed, wreck
theft, stolen, robbery, burglary, burgled, stole, steal, robbed
fire, burned down, smoke damage
flood, flooding, water damage, burst pipe, leak
storm, hail, hurricane, tornado, wind damage
liability, third party, legal liability
luggage, baggage, suitcase
death, die, dies, died
life insurance, death benefit, term life, whole life, payout on death
disability, disabled, unable to work, cannot work, can't work
workers compensation, work injury, injury at work, hurt at work
beneficiary, beneficiaries
`;

/** One concept: what members say, what documents say as well, and how much it tells about a question (0 to 1). */
export interface LexiconConcept {
  same: string[];
  broader: string[];
  salience: number;
  kind: AnswerType | null;
}

export const LEXICON: LexiconConcept[] = CONCEPT_LINES.trim()
  .split('\n')
  .map((line) => {
    const [, salience, kind, phrases = ''] = /^(?:([\d.]+) )?(?:\[(\w+)\] )?(.*)$/.exec(line) ?? [];
    const [same = [], broader = []] = phrases.split(' > ').map((side) => side.split(', '));
    return { same, broader, salience: Number(salience ?? 1), kind: (kind as AnswerType | undefined) ?? null };
  });
