import { drawBooklet } from '../pdf/draw-booklet.js';
import { contacts, plan } from '../plan-figures.js';
import { claimChapters } from './claims-and-appeals.js';
import { drugAndRiderChapters } from './drugs-and-riders.js';
import { exclusionsChapter } from './exclusions.js';
import { joiningChapters } from './joining.js';
import { medicalChapter } from './medical.js';
import { otherCoverageChapters } from './other-coverage.js';
import { payingChapters } from './paying.js';
import { referenceChapters } from './reference.js';

/** The benefits booklet of the fictitious plan, as a tagged PDF. The same bytes every time. */
export function makeBooklet(): Promise<Buffer> {
  return drawBooklet({
    title: `${plan.name} Benefits Booklet`,
    subtitle: `For employees of ${plan.employer} and their families. Plan year ${plan.year}`,
    publisher: plan.insurer,
    coverLines: [
      `Group number ${plan.groupNumber}`,
      `In effect from ${plan.firstDay} to ${plan.lastDay}`,
      `Member Services ${contacts.memberServices}`,
      contacts.site,
      'A sample document of Insurance Navigator: the insurer, the employer, the people and all figures are fictitious. This is not an offer of insurance.',
    ],
    foot: `${plan.insurer} (fictitious) | Group ${plan.groupNumber} | ${plan.year}`,
    date: new Date('2025-10-01T12:00:00Z'),
    chapters: [
      ...joiningChapters,
      ...payingChapters,
      medicalChapter,
      ...drugAndRiderChapters,
      exclusionsChapter,
      ...claimChapters,
      ...otherCoverageChapters,
      ...referenceChapters,
    ],
  });
}
