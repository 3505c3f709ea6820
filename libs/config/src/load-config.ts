import type { z } from 'zod';
import { type ConfigSection, variableName } from './section.js';

type SectionMap = Record<string, ConfigSection>;
export type Config<Sections extends SectionMap> = {
  readonly [Name in keyof Sections]: Readonly<z.infer<Sections[Name]['schema']>>;
};
export type Environment = Record<string, string | undefined>;

/** Says every bad variable at once, by name and never by value, because a value may be a secret. */
export class InvalidConfiguration extends Error {
  constructor(readonly problems: { variable: string; message: string }[]) {
    super(
      ['The configuration is not valid:', ...problems.map((p) => `  ${p.variable}: ${p.message}`)].join('\n'),
    );
    this.name = 'InvalidConfiguration';
  }
}

/**
 * Reads all sections from the environment. An unset or empty variable takes its default.
 * @throws InvalidConfiguration naming every variable that does not fit its type or range
 */
export function loadConfig<Sections extends SectionMap>(
  sections: Sections,
  environment: Environment = process.env,
): Config<Sections> {
  const problems: { variable: string; message: string }[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { prefix, schema }] of Object.entries(sections)) {
    const values = Object.fromEntries(
      Object.keys(schema.shape).map((key) => [key, environment[variableName(prefix, key)] || undefined]),
    );
    const result = schema.safeParse(values);
    if (result.success) config[name] = Object.freeze(result.data);
    else {
      for (const issue of result.error.issues)
        problems.push({
          variable: variableName(prefix, String(issue.path[0] ?? '')),
          message: issue.message,
        });
    }
  }
  if (problems.length > 0) throw new InvalidConfiguration(problems);
  return Object.freeze(config) as Config<Sections>;
}
