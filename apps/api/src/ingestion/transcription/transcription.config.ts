import { z } from 'zod';
import { section } from '#libs/config';

export const transcriberSection = section(
  'TRANSCRIBER',
  z.object({
    provider: z
      .enum(['embedded', 'openai'])
      .default('embedded')
      .describe(
        "What hears recordings: embedded (on this machine, English) or openai (a server that speaks OpenAI's protocol; " +
          'while it cannot be had, the embedded one takes its place).',
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
      .describe(
        "That server's name of the model, such as whisper-1; needed unless the provider is embedded.",
      ),
    pricePerMinute: z.coerce
      .number()
      .min(0)
      .max(1_000)
      .default(0)
      .describe(
        'What that server costs for a minute of recording, in any currency; for the figures of costs.',
      ),
    processes: z.coerce
      .number()
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'Processes of the embedded transcriber at the same time, each with one core and about 350 MB; unset, one for ' +
          'each core.',
      ),
    memoryMb: z.coerce
      .number()
      .int()
      .min(384)
      .max(16_384)
      .default(768)
      .describe('Memory that one of those processes may use, in megabytes.'),
    timeoutMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(120_000)
      .describe('How long one of them may take for a stretch of at most 24 seconds.'),
    idleMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe('One without work is stopped after this long.'),
    maxMinutes: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_440)
      .default(240)
      .describe('Longer recordings are refused.'),
    ffmpeg: z
      .string()
      .min(1)
      .max(1_000)
      .default('ffmpeg')
      .describe(
        'The program that decodes recordings: a path, or a name in /usr/local/bin, /usr/bin or /bin. WAV files need none.',
      ),
    decoderMemoryMb: z.coerce
      .number()
      .int()
      .min(128)
      .max(16_384)
      .default(1_024)
      .describe('Address space that it may use, in megabytes.'),
    decoderTimeoutMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(300_000)
      .describe('How long it may take to go through a recording.'),
  }),
);
export type TranscriberConfig = Readonly<z.infer<typeof transcriberSection.schema>>;
