import { z } from 'zod';
import { InvalidConfiguration, section } from '#libs/config';

export const ocrSection = section(
  'OCR',
  z.object({
    provider: z
      .enum(['embedded', 'openai'])
      .default('embedded')
      .describe(
        'What reads scanned pages and pictures: embedded (on this machine, English) or openai (a model that sees, ' +
          "behind OpenAI's protocol; while it cannot be had, the embedded one takes its place).",
      ),
    url: z
      .url()
      .default('https://api.openai.com/v1')
      .describe('Where that server is reached, such as http://localhost:8000/v1.'),
    apiKey: z.string().min(1).max(1_000).optional().describe('Key for that server, when it wants one.'),
    model: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .describe("That server's name of the model; needed unless the provider is embedded."),
    processes: z.coerce
      .number()
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'Pages that are drawn or read at the same time, each in a process of its own with one core and about 400 MB; ' +
          'unset, one for each core.',
      ),
    memoryMb: z.coerce
      .number()
      .int()
      .min(384)
      .max(16_384)
      .default(1_024)
      .describe('Memory that one of those processes may use, in megabytes.'),
    timeoutMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(120_000)
      .describe('How long one page may take.'),
    idleMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe('A process without work is stopped after this long.'),
    maxPixels: z.coerce
      .number()
      .int()
      .min(1_000_000)
      .max(200_000_000)
      .default(50_000_000)
      .describe('Pictures with more pixels are refused; a page scanned at 600 dpi has 35 million.'),
    minConfidence: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(0.4)
      .describe('Words of which the embedded engine is less sure than this (0 to 1) are left out.'),
  }),
);
export type OcrConfig = Readonly<z.infer<typeof ocrSection.schema>>;

/** @throws InvalidConfiguration */
export function ocrModel({ provider, model }: OcrConfig): string {
  if (provider === 'embedded') return 'tesseract-eng';
  if (model === undefined)
    throw new InvalidConfiguration([
      { variable: 'OCR_MODEL', message: `is needed with OCR_PROVIDER=${provider}` },
    ]);
  return model;
}
