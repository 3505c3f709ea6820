/** What tests read from the OpenAPI document of a running program, to ask of every route there is. */

export interface Schema {
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

export interface Operation {
  method: string;
  /** With its parameters in braces. */
  path: string;
  parameters: Parameter[];
  /** By content type. */
  bodies: Record<string, Schema>;
  /** Asks for no credential. */
  isPublic: boolean;
}

interface Described {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  security?: object[];
}

export const nameOf = ({ method, path }: Operation) => `${method} ${path}`;

export async function operationsOf(url: string): Promise<Operation[]> {
  const response = await fetch(`${url}/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, security }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      bodies: Object.fromEntries(
        Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema]),
      ),
      isPublic: security?.length === 0,
    })),
  );
}

/** Gives the text for one place in a body or a URL; `name` is that of the member that holds it. */
export type TextFor = (name: string, schema: Schema, index: number) => string;

/** A value that the schema accepts, with all of its members, as far as `textFor` knows what is a good text. */
export function sampleOf(schema: Schema, textFor: TextFor, name = '', index = 0): unknown {
  const choice = choiceOf(schema);
  if (choice) return sampleOf(choice, textFor, name, index);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  switch (typeOf(schema)) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, member]) => [
          key,
          sampleOf(member, textFor, key, index),
        ]),
      );
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, (_, i) =>
        sampleOf(schema.items ?? {}, textFor, name, i),
      );
    case 'integer':
    case 'number':
      return schema.default ?? schema.minimum ?? 1;
    case 'boolean':
      return schema.default ?? false;
    case 'string':
      return textFor(name, schema, index);
    default:
      return schema.default ?? null;
  }
}

/** The same schema without what may be left out, on its outermost level. */
export function requiredOf(schema: Schema): Schema {
  const { properties = {}, required = [], ...rest } = choiceOf(schema) ?? schema;
  const kept = Object.entries(properties).filter(([name]) => required.includes(name));
  return { ...rest, required, properties: Object.fromEntries(kept) };
}

const choiceOf = ({ oneOf, anyOf }: Schema): Schema | undefined => (oneOf ?? anyOf)?.[0];

/** The one that is not null. */
export function typeOf({ type }: Schema): string | undefined {
  return Array.isArray(type) ? type.find((each) => each !== 'null') : type;
}

/** The path up to a parameter, which names what its ids are ids of. */
export function collectionOf(path: string, parameter: string): string {
  return path.slice(0, path.indexOf(`/{${parameter}}`));
}

export function fillPath(path: string, valueOf: (parameter: string) => string): string {
  // A half of a character has no form in a URL.
  return path.replace(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(valueOf(parameter).toWellFormed()),
  );
}
