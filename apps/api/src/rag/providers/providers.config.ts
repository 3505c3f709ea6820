import { z } from 'zod';
import { section } from '#libs/config';

const milliseconds = (initial: number) => z.coerce.number().int().min(100).max(600_000).default(initial);

const tenantTokens = z.coerce.number().int().min(0).max(1_000_000_000_000).default(0);

/** Which models write answers, and what each answer may take. */
export const chatSection = section(
  'CHAT',
  z.object({
    models: z
      .string()
      .max(1_000)
      .default('')
      .describe(
        'Models that write answers, in order of preference: a comma list of provider:model with the providers ' +
          'openai, anthropic and compatible. Without one, answers are quoted from the documents.',
      ),
    maxTokens: z.coerce
      .number()
      .int()
      .min(64)
      .max(16_384)
      .default(1_024)
      .describe('Tokens an answer of a model may have.'),
    firstTokenTimeoutMs: milliseconds(10_000).describe('How long a model may take to its first token.'),
    idleTimeoutMs: milliseconds(15_000).describe('How long a model may pause between two tokens.'),
    totalTimeoutMs: milliseconds(120_000).describe('How long all models together may take for one answer.'),
    tenantTokensPerHour: tenantTokens.describe(
      'Tokens, read and written, that models may use for one tenant in an hour; 0 for no limit. After that its answers ' +
        'are quoted from the documents.',
    ),
    tenantTokensPerDay: tenantTokens.describe('The same for a day (UTC).'),
    temperature: z.coerce
      .number()
      .min(0)
      .max(2)
      .optional()
      .describe(
        'Sampling temperature for openai (not sent unless set, many models refuse it) and compatible (0).',
      ),
  }),
);
export type ChatConfig = Readonly<z.infer<typeof chatSection.schema>>;

const apiKey = z.string().min(1).max(1_000).optional();

export const openaiSection = section(
  'OPENAI',
  z.object({
    baseUrl: z.url().default('https://api.openai.com/v1').describe('Where OpenAI is reached.'),
    apiKey: apiKey.describe('Key for OpenAI.'),
  }),
);
export const anthropicSection = section(
  'ANTHROPIC',
  z.object({
    baseUrl: z.url().default('https://api.anthropic.com').describe('Where Anthropic is reached.'),
    apiKey: apiKey.describe('Key for Anthropic.'),
  }),
);
export const compatibleSection = section(
  'COMPATIBLE',
  z.object({
    baseUrl: z
      .url()
      .optional()
      .describe("A server that speaks OpenAI's protocol, such as Ollama or vLLM: http://localhost:11434/v1."),
    apiKey: apiKey.describe('Key for that server, when it wants one.'),
  }),
);

/** The settings of all providers, as `createChatModels` reads them. */
export interface ChatModelsConfig {
  chat: ChatConfig;
  openai: Readonly<z.infer<typeof openaiSection.schema>>;
  anthropic: Readonly<z.infer<typeof anthropicSection.schema>>;
  compatible: Readonly<z.infer<typeof compatibleSection.schema>>;
}
