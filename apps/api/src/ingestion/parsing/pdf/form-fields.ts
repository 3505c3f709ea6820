import type { PDFPageProxy } from 'unpdf/pdfjs';

/** What somebody filled into a form: text that is not part of the page's own. */
export interface FieldValue {
  /** The structure tree refers to the field by it. */
  id: string;
  lines: string[];
  /** Left, bottom, right, top on the unrotated page. */
  rect: readonly [number, number, number, number];
}

interface Annotation {
  id: string;
  subtype: string;
  rect: readonly [number, number, number, number];
  hidden?: boolean;
  fieldType?: string | null;
  fieldValue?: unknown;
  checkBox?: boolean;
  radioButton?: boolean;
  pushButton?: boolean;
  exportValue?: string;
  buttonValue?: string;
  options?: { exportValue: string; displayValue: string }[];
  contentsObj?: { str?: string };
  fieldName?: string;
}

/** Filled-in fields and typed notes of a page. */
export async function readFields(page: PDFPageProxy): Promise<FieldValue[]> {
  const annotations = (await page.getAnnotations()) as Annotation[];
  return annotations
    .filter((annotation) => !annotation.hidden)
    .map((annotation) => ({ id: annotation.id, lines: linesOf(annotation), rect: annotation.rect }))
    .filter((value) => value.lines.length > 0);
}

function linesOf(annotation: Annotation): string[] {
  if (annotation.subtype === 'FreeText') return split(annotation.contentsObj?.str);
  if (annotation.subtype !== 'Widget') return [];
  const { fieldValue } = annotation;
  if (annotation.fieldType === 'Btn') return isChecked(annotation) ? ['[x]'] : captionOf(annotation);
  if (annotation.fieldType === 'Ch') return chosen(annotation).flatMap(split);
  return split(fieldValue);
}

function isChecked({ checkBox, radioButton, fieldValue, exportValue, buttonValue }: Annotation): boolean {
  if (typeof fieldValue !== 'string' || fieldValue === 'Off') return false;
  return (
    (checkBox === true && fieldValue === exportValue) || (radioButton === true && fieldValue === buttonValue)
  );
}

/** A button shows its caption, which pdf.js does not give; its name mostly says the same. */
const captionOf = ({ pushButton, fieldName }: Annotation) => (pushButton ? split(fieldName) : []);

/** A list's values are codes; people see what the options show. */
function chosen({ fieldValue, options = [] }: Annotation): string[] {
  const values = Array.isArray(fieldValue) ? (fieldValue as unknown[]) : [fieldValue];
  return values
    .filter((value): value is string => typeof value === 'string')
    .map((value) => options.find((option) => option.exportValue === value)?.displayValue ?? value);
}

const split = (text: unknown): string[] =>
  typeof text === 'string' ? text.split(/\r\n?|\n/).filter((line) => line.trim() !== '') : [];
