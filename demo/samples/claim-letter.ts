import {
  AlignmentType,
  BorderStyle,
  Document,
  Footer,
  HeadingLevel,
  Packer,
  PageNumber,
  Paragraph,
  ShadingType,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from 'docx';
import {
  appealDeadline,
  claimCase,
  type ClaimLine,
  claimLines,
  claimTotals,
  deniedAmount,
} from './claim-case.js';
import { claims, contacts, deductible, plan, priorAuthorization, usd } from './plan-figures.js';
import { withFixedTimes } from './reproducible-zip.js';

/** The letter that explains a partly denied claim, as a Word document. The same bytes every time. */
export async function makeClaimLetter(): Promise<Buffer> {
  const document = new Document({
    title: 'Explanation of benefits and notice of denial',
    creator: plan.insurer,
    lastModifiedBy: plan.insurer,
    styles: { default: { document: { run: { font: 'Calibri', size: 21 } } } },
    sections: [
      {
        properties: { page: { size: { width: 12_240, height: 15_840 }, margin: MARGIN } },
        footers: { default: new Footer({ children: [footerLine()] }) },
        children: [
          ...letterhead(),
          ...opening(),
          chargesTable(),
          ...reason(),
          ...appealRights(),
          ...closing(),
        ],
      },
    ],
  });
  return withFixedTimes(await Packer.toBuffer(document, undefined, [coreProperties()]));
}

/** Twentieths of a point. */
const MARGIN = { top: 1_080, bottom: 1_000, left: 1_150, right: 1_150 };
const TEAL = '0F5F68';

/** The library writes the current time here; the letter's own date gives the same bytes every day. */
function coreProperties() {
  const when = (name: string) =>
    `<dcterms:${name} xsi:type="dcterms:W3CDTF">${new Date(`${claimCase.letterDate} 12:00 UTC`).toISOString()}</dcterms:${name}>`;
  const namespaces = [
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"',
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    'xmlns:dcterms="http://purl.org/dc/terms/"',
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
  ].join(' ');
  return {
    path: 'docProps/core.xml',
    data:
      `<?xml version="1.0" encoding="UTF-8"?><cp:coreProperties ${namespaces}>` +
      `<dc:title>Explanation of benefits and notice of denial</dc:title><dc:creator>${plan.insurer}</dc:creator>` +
      `${when('created')}${when('modified')}</cp:coreProperties>`,
  };
}

const text = (content: string, after = 120) => new Paragraph({ children: runs(content), spacing: { after } });
const heading = (content: string) =>
  new Paragraph({
    heading: HeadingLevel.HEADING_1,
    spacing: { before: 220, after: 90 },
    keepNext: true,
    children: [new TextRun({ text: content, bold: true, size: 26, color: TEAL })],
  });
const bullet = (content: string) =>
  new Paragraph({ children: runs(content), bullet: { level: 0 }, spacing: { after: 50 } });

/** `**bold**` parts become bold runs. */
function runs(content: string): TextRun[] {
  return content.split('**').map((part, index) => new TextRun({ text: part, bold: index % 2 === 1 }));
}

function letterhead(): Paragraph[] {
  return [
    new Paragraph({
      spacing: { after: 20 },
      children: [new TextRun({ text: plan.insurer, bold: true, size: 34, color: TEAL })],
    }),
    new Paragraph({
      spacing: { after: 200 },
      border: { bottom: { style: BorderStyle.SINGLE, size: 8, color: TEAL, space: 4 } },
      children: [
        new TextRun({
          text: `Member Services ${contacts.memberServices} | ${contacts.site} | Fictitious sample document`,
          size: 17,
          color: '5A666B',
        }),
      ],
    }),
    text(claimCase.letterDate),
    text(`${claimCase.member}, 218 Tamarack Lane, Millbrook Falls, MN 55000`),
    text(
      `Member number ${claimCase.memberNumber} | Group ${plan.groupNumber}, ${plan.name} | Claim ${claimCase.claimNumber}`,
      160,
    ),
    new Paragraph({
      heading: HeadingLevel.TITLE,
      spacing: { after: 120 },
      children: [
        new TextRun({
          text: 'Explanation of benefits and notice of denial',
          bold: true,
          size: 32,
          color: '1D2529',
        }),
      ],
    }),
  ];
}

function opening(): Paragraph[] {
  return [
    text(`Dear ${claimCase.member},`),
    text(
      `On ${claimCase.received} we received a claim for the care of your left knee. We paid three of the four services. **We denied the MRI of June 11, 2026**, because prior authorization was required and not obtained (reason code ${claimCase.reasonCode}). This letter explains what we paid, what you may owe, and how you can appeal.`,
    ),
    text(
      `**This is not a bill.** Wait for the bills of ${claimCase.clinic} and ${claimCase.imagingCenter}, and compare them with the last column of the table.`,
    ),
    heading('What was charged and what we paid'),
  ];
}

const COLUMNS: { title: string; width: number; value: (line: ClaimLine) => string }[] = [
  { title: 'Date of service', width: 1_150, value: (line) => line.date },
  { title: 'Service', width: 1_900, value: (line) => line.service },
  { title: 'Provider (network)', width: 1_850, value: (line) => `${line.provider} (${line.network})` },
  { title: 'Charged', width: 900, value: (line) => usd(line.charged) },
  { title: 'Allowed', width: 850, value: (line) => usd(line.allowed) },
  { title: 'Copay, deductible, coinsurance', width: 1_390, value: (line) => shares(line) },
  { title: 'Plan paid', width: 850, value: (line) => usd(line.paid) },
  { title: 'You may owe', width: 1_050, value: (line) => usd(line.owed) },
];

/** What the member's share consists of, such as `$80 deductible and $28 coinsurance`. */
function shares(line: ClaimLine): string {
  const parts = (['copay', 'deductible', 'coinsurance'] as const).flatMap((kind) =>
    line[kind] > 0 ? [`${usd(line[kind])} ${kind}`] : [],
  );
  return parts.join(' and ') || 'Not covered';
}

function chargesTable(): Table {
  const totals = [
    'Total',
    '',
    '',
    usd(claimTotals.charged),
    usd(claimTotals.allowed),
    usd(claimTotals.copay + claimTotals.deductible + claimTotals.coinsurance),
    usd(claimTotals.paid),
    usd(claimTotals.owed),
  ];
  return new Table({
    width: { size: 100, type: WidthType.PERCENTAGE },
    columnWidths: COLUMNS.map((column) => column.width),
    rows: [
      tableRow(
        COLUMNS.map((column) => column.title),
        { header: true, bold: true },
      ),
      ...claimLines.map((line) => tableRow(COLUMNS.map((column) => column.value(line)))),
      tableRow(totals, { bold: true }),
    ],
  });
}

function tableRow(texts: string[], { header = false, bold = false } = {}): TableRow {
  return new TableRow({
    // Left out rather than false: some readers take the mere presence of the mark for a header row.
    tableHeader: header || undefined,
    cantSplit: true,
    children: texts.map((content, index) => {
      const run = new TextRun({
        text: content,
        bold: bold || header,
        size: 17,
        color: header ? 'FFFFFF' : undefined,
      });
      const alignment = index > 2 && index !== 5 && !header ? AlignmentType.RIGHT : AlignmentType.LEFT;
      return new TableCell({
        width: { size: COLUMNS[index]?.width ?? 0, type: WidthType.DXA },
        shading: header ? { type: ShadingType.CLEAR, fill: TEAL } : undefined,
        margins: { top: 50, bottom: 50, left: 70, right: 70 },
        children: [new Paragraph({ alignment, children: [run] })],
      });
    }),
  });
}

function reason(): Paragraph[] {
  const remaining = deductible.in.individual - claimCase.deductiblePaidBefore;
  return [
    text('', 40),
    text(
      `The knee brace used the remaining ${usd(remaining)} of your in-network deductible of ${usd(deductible.in.individual)}. You have now met it for ${plan.year}. The differences between the charges of ${claimCase.clinic} and the allowed amounts are not yours to pay.`,
    ),
    heading('Why the MRI was denied'),
    text(
      `MRI scans outside of an emergency need prior authorization. ${claimCase.imagingCenter} is not in our network. When a member uses an out-of-network provider, the member is responsible for asking for the authorization, at least ${priorAuthorization.noticeDays} business days before the service (benefits booklet, section “Networks and prior authorization”). We have no record of a request by you, by ${claimCase.physician} or by the imaging center. The plan therefore pays nothing for the MRI, and ${claimCase.imagingCenter} may bill you its full charge of ${deniedAmount}.`,
    ),
    text(
      'We did not decide whether the scan was medically necessary. No medical records were reviewed for this decision.',
    ),
  ];
}

function appealRights(): Paragraph[] {
  return [
    heading('Your right to appeal'),
    text(
      `You have ${claims.appealDays} days from the day on which you receive this letter. **We must receive your appeal by ${appealDeadline}.** The appeal is free of charge, and you may appoint somebody to act for you. We decide within ${claims.postServiceAppealDays} days after we receive it. Tell us why the authorization was not asked for, and send:`,
    ),
    bullet('a copy of this letter, or the claim number;'),
    bullet(`the notes of ${claimCase.physician} from June 9, 2026, and the report of the MRI;`),
    bullet('if the scan could not wait, a statement of your physician that says why.'),
    text('', 20),
    text(`**By mail:** ${contacts.appealsAddress}`, 50),
    text(`**By fax:** ${contacts.appealsFax}`, 50),
    text(`**Online:** ${contacts.site}/appeals`),
    text(
      `If we do not decide in your favor, you may ask for a second appeal within ${claims.secondAppealDays} days, or, where the decision rests on a medical judgment, for a review by an independent organization within ${claims.externalReviewMonths} months. You may see our file on this claim and receive copies free of charge.`,
    ),
  ];
}

function closing(): Paragraph[] {
  return [
    heading('If you need help'),
    text(
      `Call Member Services at ${contacts.memberServices}, ${contacts.memberServicesHours}. Questions about future authorizations are answered at ${contacts.priorAuthorization}. If you cannot pay the bill at once, ask ${claimCase.imagingCenter} for a payment plan before it is due.`,
    ),
    text('Sincerely,', 200),
    text('Marguerite Sorensen', 0),
    text(`Claims Review, ${plan.insurer}`),
  ];
}

function footerLine(): Paragraph {
  const size = 16;
  return new Paragraph({
    alignment: AlignmentType.CENTER,
    children: [
      new TextRun({ text: `Claim ${claimCase.claimNumber} | Page `, size }),
      new TextRun({ children: [PageNumber.CURRENT], size }),
      new TextRun({ text: ' of ', size }),
      new TextRun({ children: [PageNumber.TOTAL_PAGES], size }),
    ],
  });
}
