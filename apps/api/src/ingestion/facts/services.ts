/**
 * Services by the names that plans give them, in the order of the form "Summary of Benefits and Coverage", the more
 * particular before the more general.
 */
const SERVICES: readonly (readonly [code: string, label: RegExp, group?: RegExp])[] = [
  ['telehealth', /\btele(?:health|medicine)|virtual (?:visit|care)|video visit/i],
  ['childbirth_professional', /childbirth.*professional|delivery professional/i],
  ['childbirth_facility', /childbirth.*facility|delivery facility/i],
  ['prenatal_visit', /prenatal|pre-natal/i],
  ['prenatal_visit', /^office visits?$/i, /pregnan/i],
  ['child_eye_exam', /child(?:ren)?.{0,3}s?.* eye exam|eye exam.*child/i],
  ['child_glasses', /child(?:ren)?.{0,3}s?.* glasses/i],
  ['child_dental_checkup', /child(?:ren)?.{0,3}s?.* dental/i],
  ['mental_health_inpatient', /inpatient/i, /mental|behavio(?:u)?ral|substance/i],
  ['mental_health_outpatient', /outpatient/i, /mental|behavio(?:u)?ral|substance/i],
  ['mental_health_outpatient', /outpatient (?:mental|counsel)|mental health/i],
  ['specialist_visit', /\bspecialist\b/i],
  ['primary_care_visit', /primary care/i],
  ['preventive_care', /\bpreventive|yearly (?:physical|check)|annual (?:physical|check)|immuni[sz]ation/i],
  ['imaging', /\bimaging|\bMRI\b|\bCT\b.*scan|PET scan/i],
  ['diagnostic_test', /diagnostic test|laborator|x-?rays?\b|blood work/i],
  ['generic_drugs', /\bgeneric\b/i],
  ['non_preferred_brand_drugs', /non-?preferred/i],
  ['preferred_brand_drugs', /preferred (?:brand|drug)|\bbrand[- ]name|tier 2/i],
  ['specialty_drugs', /special(?:ty|ity) (?:drug|medic)|tier 4/i],
  ['outpatient_surgery_facility', /facility fee/i, /outpatient|surgery/i],
  ['outpatient_surgery_physician', /(?:physician|surgeon).*fee/i, /outpatient|surgery/i],
  ['hospital_facility', /facility fee|hospital (?:room|stay)|inpatient (?:hospital|stay|care)/i],
  ['hospital_physician', /(?:physician|surgeon).*fee/i],
  ['emergency_room', /emergency room|emergency (?:department|services|care)/i],
  ['emergency_transport', /ambulance|emergency (?:medical )?transport/i],
  ['urgent_care', /urgent care/i],
  ['home_health_care', /home health/i],
  ['rehabilitation', /\brehabilitation|physical therapy|outpatient therapy/i],
  ['habilitation', /\bhabilitation/i],
  ['skilled_nursing', /skilled nursing/i],
  ['medical_equipment', /durable medical|medical equipment/i],
  ['hospice', /hospice/i],
  ['chiropractic', /chiropract/i],
  ['acupuncture', /acupuncture/i],
];

export const SERVICE_CODES = [...new Set(SERVICES.map(([code]) => code))] as [string, ...string[]];

/** Our name for what a row of a table is about; null when it is no service that we know. */
export function serviceOf(label: string, group: string | null): string | null {
  const found = SERVICES.find(
    ([, ownLabel, ownGroup]) =>
      ownLabel.test(label) && (!ownGroup || (group !== null && ownGroup.test(group))),
  );
  return found?.[0] ?? null;
}
