import { contacts, copay, limits, memberShare, percent, priorAuthorization, usd } from '../plan-figures.js';
import { type Chapter, h2, note, p, type TableColumn, table, ul } from './content.js';

const columns: TableColumn[] = [
  { title: 'Service', width: 32 },
  { title: 'In-network', group: 'You pay', width: 24 },
  { title: 'Out-of-network', group: 'You pay', width: 24 },
  { title: 'Limits and conditions', width: 36 },
];
const IN = `${percent(memberShare.in)} after deductible`;
const OUT = `${percent(memberShare.out)} after deductible`;
const FREE = 'No charge';
const pays = (amount: number) => `${usd(amount)} copay`;
const AUTHORIZED = 'Prior authorization required';

export const medicalChapter: Chapter = {
  title: 'Medical benefits',
  columns: 1,
  blocks: [
    p(
      'The tables show what **you** pay. Where they say “after deductible”, you first pay the deductible and then the share shown. Where they show a copay, the deductible does not apply in-network. Visit limits are counted per person and plan year, in-network and out-of-network together.',
    ),
    h2('Preventive care'),
    p(
      'Preventive care is care you receive while you have no symptoms. In-network it costs you nothing. If the same visit also treats a problem, the copay for an office visit may apply to that part.',
    ),
    table('Preventive care: what you pay', columns, [
      ['Yearly physical examination', FREE, OUT, 'One per plan year'],
      ['Well-child visits', FREE, OUT, 'By the recommended schedule to age 21'],
      ['Vaccines', FREE, OUT, 'Recommended vaccines for adults and children; also at pharmacies'],
      [
        'Screening for cancer',
        FREE,
        OUT,
        'Mammogram yearly from age 40; colonoscopy every 10 years from age 45',
      ],
      ['Prenatal visits', FREE, OUT, 'Routine visits and screening tests'],
      ['Contraception', FREE, OUT, 'Approved methods, counseling and sterilization of women'],
      ['Tobacco program', FREE, 'Not covered', 'Two attempts per plan year, with medication'],
      ['Nutrition counseling', FREE, OUT, `${limits.nutritionVisits} visits`],
    ]),
    h2('Office visits, tests and urgent care'),
    table('Office visits, tests and urgent care: what you pay', columns, [
      [
        'Primary care visit',
        pays(copay.primaryCare),
        OUT,
        'Family, internal and pediatric medicine; also gynecology',
      ],
      ['Specialist visit', pays(copay.specialist), OUT, 'No referral needed'],
      ['Telehealth visit', pays(copay.telehealth), 'Not covered', 'Through the Fernhollow app, at any hour'],
      [
        'Urgent care center',
        pays(copay.urgentCare),
        pays(copay.urgentCare),
        'For problems that cannot wait but are not emergencies',
      ],
      ['Allergy tests and injections', IN, OUT, 'Serum included'],
      ['Laboratory tests', pays(copay.labTest), OUT, 'Per visit to the laboratory'],
      ['X-ray and ultrasound', IN, OUT, 'Reading of the images included'],
      ['MRI, CT and PET scans', IN, OUT, `${AUTHORIZED} outside of an emergency`],
      ['Sleep study', IN, OUT, `At home: no authorization. In a laboratory: ${AUTHORIZED.toLowerCase()}`],
    ]),
    h2('Emergency care and ambulance'),
    p(
      'An emergency is a condition so severe that a reasonable person would expect serious harm without immediate care, such as chest pain, heavy bleeding or trouble breathing. Go to the nearest emergency room or call 911. What counts is what you felt, not the final diagnosis.',
    ),
    table('Emergency care and ambulance: what you pay', columns, [
      [
        'Emergency room visit',
        pays(copay.emergencyRoom),
        pays(copay.emergencyRoom),
        'Copay waived if you are admitted to the hospital',
      ],
      ['Physicians in the emergency room', FREE, FREE, 'Included in the copay of the visit'],
      [
        'Ground ambulance',
        IN,
        `${percent(memberShare.in)} after in-network deductible`,
        'To the nearest suitable hospital',
      ],
      [
        'Air ambulance',
        IN,
        `${percent(memberShare.in)} after in-network deductible`,
        'Only if ground transport would endanger you',
      ],
    ]),
    note(
      'Not sure where to go?',
      `Call the nurse line at ${contacts.nurseLine}. A nurse helps you decide whether to treat the problem at home, to use telehealth for ${usd(copay.telehealth)}, urgent care for ${usd(copay.urgentCare)} or the emergency room for ${usd(copay.emergencyRoom)}.`,
    ),
    h2('Hospital and surgery'),
    table('Hospital and surgery: what you pay', columns, [
      [
        'Hospital stay',
        IN,
        OUT,
        `Semi-private room. ${AUTHORIZED}; otherwise payment out-of-network is reduced by ${usd(priorAuthorization.hospitalPenalty)}`,
      ],
      ['Surgeon and anesthesia', IN, OUT, 'Assistant surgeon when medically necessary'],
      ['Outpatient surgery', IN, OUT, `${AUTHORIZED} in a hospital, not in a surgery center`],
      [
        'Transplant',
        IN,
        'Not covered',
        `At a designated center. Travel and lodging up to ${usd(limits.travelAmount)} per transplant`,
      ],
      ['Bariatric surgery', IN, 'Not covered', `${AUTHORIZED}; one procedure per lifetime`],
      ['Skilled nursing facility', IN, OUT, `${limits.skilledNursingDays} days`],
      ['Home health care', IN, OUT, `${limits.homeHealthVisits} visits`],
      [
        'Hospice',
        FREE,
        OUT,
        'Life expectancy of six months or less; respite care for up to 5 days at a time',
      ],
    ]),
    h2('Maternity and newborn care'),
    p(
      'Routine prenatal visits cost you nothing in-network. The delivery is a hospital stay: you pay the deductible and coinsurance. The newborn’s own care counts toward the newborn’s own deductible as soon as the child is enrolled.',
    ),
    table('Maternity and family planning: what you pay', columns, [
      ['Delivery and hospital stay', IN, OUT, 'Also in a licensed birth center'],
      ['Lactation support', FREE, OUT, 'One breast pump per birth'],
      ['Diagnosis of infertility', IN, OUT, 'Tests and office visits'],
      [
        'Fertility treatment',
        IN,
        'Not covered',
        `${usd(limits.fertilityLifetimeAmount)} per lifetime, drugs included. ${AUTHORIZED}`,
      ],
    ]),
    h2('Mental health and substance use'),
    p(
      `Care for mental health and substance use is paid like other care. You need no referral: call ${contacts.behavioralHealth} at any hour, and the care team finds an appointment within 10 business days, in a crisis on the same day.`,
    ),
    table('Mental health and substance use: what you pay', columns, [
      ['Outpatient counseling', pays(copay.counseling), OUT, 'No limit on visits; in the office or by video'],
      ['Psychiatrist visit', pays(copay.counseling), OUT, 'Management of medication included'],
      ['Inpatient treatment', IN, OUT, AUTHORIZED],
      ['Residential and partial hospital programs', IN, OUT, AUTHORIZED],
      [
        'Applied behavior analysis',
        pays(copay.counseling),
        OUT,
        'For autism spectrum disorder, with a treatment plan renewed every 6 months',
      ],
    ]),
    h2('Therapy and rehabilitation'),
    table('Therapy and rehabilitation: what you pay', columns, [
      [
        'Physical and occupational therapy',
        pays(copay.therapy),
        OUT,
        `${limits.physicalTherapyVisits} visits, both together`,
      ],
      ['Speech therapy', pays(copay.therapy), OUT, `${limits.speechTherapyVisits} visits`],
      ['Cardiac rehabilitation', IN, OUT, `${limits.cardiacRehabSessions} sessions per event`],
      ['Chiropractic care', pays(copay.therapy), OUT, `${limits.chiropracticVisits} visits`],
      ['Acupuncture', pays(copay.therapy), OUT, `${limits.acupunctureVisits} visits, for pain or nausea`],
    ]),
    p(
      'A therapist may ask for more visits when you are recovering from a stroke, a brain injury or surgery within the last 6 months. We decide on the basis of a written plan with measurable goals.',
    ),
    h2('Equipment and supplies'),
    table('Equipment and supplies: what you pay', columns, [
      [
        'Durable medical equipment',
        IN,
        OUT,
        `Rental or purchase, whichever costs less. ${AUTHORIZED} above $1,000`,
      ],
      ['Prosthetics and orthotics', IN, OUT, 'Replacement every 5 years, for children whenever outgrown'],
      [
        'Diabetic supplies',
        IN,
        OUT,
        'Pumps and continuous glucose monitors; test strips are under prescription drugs',
      ],
      [
        'Hearing aids',
        IN,
        OUT,
        `${usd(limits.hearingAidAmount)} per ear every ${limits.hearingAidMonths} months`,
      ],
      ['Wigs after cancer treatment', IN, IN, 'One per plan year, up to $400'],
    ]),
    h2('Care while you travel'),
    p(
      'Emergency care is covered worldwide. Pay the bill abroad, ask for an itemized statement and send it to us with a proof of payment; we convert the amount at the rate of the day of the service. Planned care outside the United States is not covered.',
    ),
    ul(
      'Within the country you may use urgent care centers anywhere for the same copay.',
      'A child who studies outside the service area may register a second address and use the partner network there.',
    ),
  ],
};
