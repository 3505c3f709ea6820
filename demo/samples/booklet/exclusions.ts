import { copay, limits, usd } from '../plan-figures.js';
import { type Chapter, h2, p, ul } from './content.js';

export const exclusionsChapter: Chapter = {
  title: 'What the plan does not cover',
  columns: 2,
  blocks: [
    p(
      'The plan does not pay for the services and supplies on these pages, even if a physician prescribes them. Complications of an excluded service are covered when they are a medical emergency.',
    ),
    h2('General exclusions'),
    ul(
      'Care that is **not medically necessary**, as defined at the end of this booklet.',
      'Care received **before coverage began** or after it ended.',
      '**Experimental or investigational** treatment. Routine costs of an approved clinical trial are covered.',
      'Care for an injury or illness **caused by work**, whether or not you claim the benefits of workers’ compensation.',
      'Care that a **government program** provides free of charge, where the law allows this exclusion.',
      'Care by a **member of your household** or a close relative.',
      'Charges for **missed appointments**, copies of records, or filling in forms.',
      'Care required by a **court, school, employer or insurer**, such as examinations for sports, travel or employment.',
      'Injuries from **committing a felony**, unless they result from domestic violence or a medical condition.',
      'Injuries from an act of **war**, declared or not.',
      'Amounts above the **allowed amount**, and anything beyond the limits in the benefit tables.',
    ),
    h2('Cosmetic care'),
    p(
      'Surgery and treatment that improve appearance but not function are excluded: face lifts, liposuction, hair removal, treatment of wrinkles, removal of tattoos, and surgery for large breasts without documented symptoms.',
    ),
    p(
      'Covered, on the other hand, are reconstruction after an accident or after the removal of a breast, surgery on the other breast to restore symmetry, and correction of a birth defect that impairs function.',
    ),
    h2('Teeth, eyes and ears'),
    ul(
      'Dental care, unless you have the dental rider. Covered are the repair of sound natural teeth within 12 months after an accident, and hospital costs when a child under 7 needs anesthesia.',
      'Eyeglasses, contact lenses and routine eye examinations, unless you have the vision rider.',
      'Surgery to correct nearsightedness, farsightedness or astigmatism.',
      `Hearing aids beyond ${usd(limits.hearingAidAmount)} per ear every ${limits.hearingAidMonths} months.`,
    ),
    h2('Weight, fertility and sexual health'),
    ul(
      'Weight-loss programs, diets, gym memberships and supplements.',
      'Bariatric surgery outside the network or without prior authorization.',
      `Fertility treatment above ${usd(limits.fertilityLifetimeAmount)} in a lifetime; payment of a surrogate or donor; storage of eggs, sperm or embryos for longer than 24 months.`,
      'Reversal of voluntary sterilization.',
    ),
    h2('Home, comfort and convenience'),
    ul(
      'Custodial care: help with bathing, dressing, eating or walking that does not need a trained professional.',
      'Private-duty nursing, and homemaker services.',
      'A private room in a hospital, unless isolation is medically necessary.',
      'Air conditioners, humidifiers, hot tubs, stair lifts, ramps and changes to your home or vehicle.',
      'Telephone, television and meals for visitors.',
    ),
    h2('Alternative and unproven care'),
    ul(
      `Naturopathy, homeopathy, aromatherapy and hypnosis. Acupuncture is covered for pain or nausea at ${usd(copay.therapy)} a visit.`,
      'Massage therapy, unless it is part of a covered physical therapy visit.',
      'Genetic tests without a medical reason, such as tests of ancestry.',
      'Wilderness programs and therapy with animals.',
    ),
    h2('Foot, travel and other care'),
    ul(
      'Routine foot care, such as cutting of nails and corns, unless you have diabetes or poor circulation.',
      'Shoe inserts, except for a person with diabetes.',
      'Planned care outside the United States, and vaccines needed only for travel.',
      'Transport by taxi, car or public transit, except the travel benefit of a transplant.',
      'Autopsies, and any service after death.',
      'Drugs listed as not covered in the section on prescription drugs.',
    ),
    h2('If you are not sure'),
    p(
      'Ask before you receive the care. Member Services can look up the billing code of a service and tell you whether it is covered and what it will cost you. We stand by a written estimate if the service is billed as described.',
    ),
  ],
};
