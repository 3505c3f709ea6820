import { planPdf } from '../plan-pdf.js';
import { planText } from '../plan-text.js';

export interface SampleDocument {
  filename: string;
  content: Uint8Array<ArrayBuffer>;
}

const KINDS: ((seed: number) => Promise<SampleDocument> | SampleDocument)[] = [
  (seed) => text(`plan-${seed}.md`, planText(seed, 3)),
  (seed) => text(`plan-${seed}.md`, planText(seed, 90)),
  (seed) => text(`rates-${seed}.csv`, rates(seed)),
  (seed) => text(`letter-${seed}.eml`, mail(seed)),
  (seed) => text(`page-${seed}.html`, page(seed)),
  async (seed) => ({ filename: `booklet-${seed}.pdf`, content: await planPdf(seed, 3, 3) }),
  async (seed) => ({ filename: `booklet-${seed}.pdf`, content: await planPdf(seed, 80, 3) }),
];

/** Documents of every size and several formats, a different one for each number and always the same for one. */
export function mixedDocument(number: number): Promise<SampleDocument> | SampleDocument {
  return KINDS[number % KINDS.length]!(number + 1);
}

function text(filename: string, content: string): SampleDocument {
  return { filename, content: new TextEncoder().encode(content) };
}

function rates(seed: number): string {
  const rows = Array.from(
    { length: 120 },
    (_, i) => `Service ${seed}-${i},$${seed + i} copay,${10 + (i % 40)} % coinsurance`,
  );
  return ['Service,Network provider,Other provider', ...rows].join('\n');
}

function mail(seed: number): string {
  const body = planText(seed, 2);
  const attached = planText(seed + 500_000, 4);
  return [
    'From: Claims <claims@example.com>',
    'To: member@example.com',
    `Subject: Your plan ${seed}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=B',
    '',
    '--B',
    'Content-Type: text/plain; charset=utf-8',
    '',
    body,
    '--B',
    `Content-Type: text/markdown; name="attached-${seed}.md"`,
    `Content-Disposition: attachment; filename="attached-${seed}.md"`,
    '',
    attached,
    '--B--',
    '',
  ].join('\r\n');
}

function page(seed: number): string {
  const parts = planText(seed, 12).trim().split('\n\n');
  const body = parts.map((part) =>
    part.startsWith('#') ? `<h2>${part.replace(/^#+ /, '')}</h2>` : `<p>${part}</p>`,
  );
  return `<!doctype html><html><head><title>Plan ${seed}</title></head><body><main>${body.join('\n')}</main></body></html>`;
}
