import {
  type Furnishing,
  isIdName,
  kindInPath,
  kindOf,
  OF_THE_INSTALLATION,
  textOfFormat,
} from './leak-furnishing.js';
import { fillPath, nameOf, type Operation, sampleOf, type Schema, typeOf } from './open-api.js';

/** A request of which every text is hostile that may be. */
export interface HostileRequest {
  path: string;
  method: string;
  json?: Record<string, unknown>;
}

interface Place {
  name: string;
  schema: Schema;
}

const PLAIN = 'plain';

/** The places of one route that take any text, and those that take only some; requests that fill them with hostile texts. */
export class HostileRoute {
  private readonly free: Place[];
  private readonly query: Place[];
  private readonly pieces = new Map<string, string[]>();

  constructor(
    readonly operation: Operation,
    private readonly ids: Furnishing['ids'],
    texts: string[],
  ) {
    this.query = operation.parameters.filter((each) => each.in === 'query');
    this.free = [...this.query, ...this.pathTexts(), ...membersOf(this.body)].filter(isFree);
    const isSingle = SINGLE.has(nameOf(operation));
    for (const { name, schema } of this.free) {
      const maxLength = Math.min(schema.maxLength ?? Infinity, LONGEST);
      const pieces = isSingle ? texts.map((text) => text.slice(0, maxLength)) : pack(texts, maxLength);
      this.pieces.set(name, isSingle || IN_FULL ? pieces : someOf(pieces, this.pieces.size));
    }
  }

  /** Of the places that take any text. */
  get names(): string[] {
    return [...this.pieces.keys()];
  }

  /** So many requests bring every text to every place that takes any. */
  get size(): number {
    return Math.max(0, ...[...this.pieces.values()].map((pieces) => pieces.length));
  }

  /** @param without places that have refused this text, so that the others are reached all the same */
  request(i: number, without: ReadonlySet<string> = new Set()): HostileRequest {
    const textFor = (name: string, schema: Schema) => {
      if (isIdName(name)) return this.ids.get(kindOf(name))!;
      const pieces = without.has(name) || !isFree({ name, schema }) ? undefined : this.pieces.get(name);
      return pieces?.[i % pieces.length] ?? textOfFormat(name, schema) ?? PLAIN;
    };
    // Every other time the name in the path is a good one, because behind a bad one nothing is done.
    const path = fillPath(this.operation.path, (name) => {
      const kind = kindInPath(this.operation.path, name);
      const pieces = i % 2 ? this.pieces.get(name) : undefined;
      return pieces?.[i % pieces.length] ?? this.ids.get(kind) ?? 'model:compatible:fake';
    });
    const search = new URLSearchParams();
    for (const place of this.query)
      if (isFree(place) && !without.has(place.name))
        search.set(place.name, textFor(place.name, place.schema));
    return this.with(path, search, this.body && (sampleOf(this.body, textFor) as Record<string, unknown>));
  }

  /** One text everywhere, also where only numbers, dates, ids and words of a list are taken. */
  forced(text: string): HostileRequest {
    const path = fillPath(this.operation.path, () => text || 'x');
    const search = new URLSearchParams();
    for (const { name } of this.query) search.set(name, text);
    const members = membersOf(this.body).map(({ name, schema }) => [
      name,
      typeOf(schema) === 'array' ? [text] : text,
    ]);
    return this.with(path, search, this.body && (Object.fromEntries(members) as Record<string, unknown>));
  }

  get takesAnything(): boolean {
    return this.operation.parameters.length > 0 || this.body !== undefined;
  }

  private with(path: string, search: URLSearchParams, json?: Record<string, unknown>): HostileRequest {
    return { method: this.operation.method, path: search.size > 0 ? `${path}?${search}` : path, json };
  }

  private get body(): Schema | undefined {
    return this.operation.bodies['application/json'];
  }

  private pathTexts(): Place[] {
    return this.operation.parameters.filter(
      ({ in: place, name }) =>
        place === 'path' && OF_THE_INSTALLATION.has(kindInPath(this.operation.path, name)),
    );
  }
}

/** Where every text goes by itself; elsewhere several go together, as many as there is room for. */
const SINGLE = new Set(['POST /v1/conversations']);
const LONGEST = 2_000;
/** Every text to every place, which takes three times as long; otherwise a place with many of them gets some. */
const IN_FULL = process.env['HOSTILE_STRINGS'] === 'full';
const SOME = 24;

/** Others for every place. */
const someOf = (pieces: string[], place: number): string[] => {
  const step = Math.ceil(pieces.length / SOME);
  return pieces.filter((_, i) => i % step === place % step);
};

/** Texts that are taken together where there is room, and cut where there is none. */
export function pack(texts: string[], maxLength: number): string[] {
  const packed: string[] = [];
  let piece = '';
  for (const text of texts) {
    if (piece && piece.length + 1 + text.length > maxLength) {
      packed.push(piece);
      piece = '';
    }
    piece = piece ? `${piece} ${text}` : text.slice(0, maxLength);
  }
  return piece ? [...packed, piece] : packed;
}

function isFree({ name, schema }: Place): boolean {
  const {
    format,
    pattern,
    enum: words,
    const: only,
  } = typeOf(schema) === 'array' ? (schema.items ?? {}) : schema;
  if (format || pattern || words || only !== undefined || isIdName(name) || name === 'cursor') return false;
  return (
    typeOf(schema) === 'string' || (typeOf(schema) === 'array' && typeOf(schema.items ?? {}) === 'string')
  );
}

function membersOf(schema?: Schema): Place[] {
  if (!schema) return [];
  const chosen = (schema.oneOf ?? schema.anyOf)?.[0] ?? schema;
  return Object.entries(chosen.properties ?? {}).map(([name, member]) => ({ name, schema: member }));
}
