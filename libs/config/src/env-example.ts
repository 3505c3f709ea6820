import type { z } from 'zod';
import { type ConfigSection, variableName } from './section.js';

export interface Setting {
  variable: string;
  description: string;
  /** As it would be written in the environment; undefined when there is none. */
  initial?: string;
}

/** Every setting of the sections, in order: the source of `.env.example` and of the table in the README. */
export function settingsOf(sections: Record<string, ConfigSection>): Setting[] {
  return Object.values(sections).flatMap(({ prefix, schema }) =>
    Object.entries(schema.shape).map(([key, type]) => ({
      variable: variableName(prefix, key),
      description: (type as z.ZodType).description ?? '',
      initial: initialOf(type as z.ZodType),
    })),
  );
}

/** The text of `.env.example`: every setting with its description, commented out at its default. */
export function envExample(sections: Record<string, ConfigSection>): string {
  return settingsOf(sections)
    .map(({ variable, description, initial }) => `# ${description}\n# ${variable}=${initial ?? ''}\n`)
    .join('\n');
}

function initialOf(type: z.ZodType): string | undefined {
  const result = type.safeParse(undefined);
  return result.success && result.data !== undefined ? String(result.data) : undefined;
}
