import type { z } from 'zod';

/** A group of settings with a common prefix, declared once beside the code that it serves. */
export interface ConfigSection<Shape extends z.ZodRawShape = z.ZodRawShape> {
  prefix: string;
  schema: z.ZodObject<Shape>;
  /** Under which the section's values are injected: `@Inject(ragSection.token) config: RagConfig`. */
  token: symbol;
}

/**
 * Declares a section. The environment name follows from prefix and key: `RAG` and `topK` give `RAG_TOP_K`; an
 * empty prefix gives `TOP_K`. Give every key a `.describe()`: it becomes the comment in `.env.example`.
 */
export function section<Shape extends z.ZodRawShape>(
  prefix: string,
  schema: z.ZodObject<Shape>,
): ConfigSection<Shape> {
  return { prefix, schema, token: Symbol(`config ${prefix}`) };
}

/** The environment variable of one key of a section. */
export function variableName(prefix: string, key: string): string {
  const name = key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  return prefix ? `${prefix}_${name}` : name;
}
