import { isIdName, kindInPath, kindOf, OF_THE_INSTALLATION, textOfFormat, WORDS } from './leak-furnishing.js';
import {
  fillPath,
  nameOf,
  type Operation,
  requiredOf,
  sampleOf,
  type Schema,
  type TextFor,
} from './open-api.js';

/** Gives the id of a kind of thing (`/v1/documents`), or undefined for what somebody does not have. */
export type IdOf = (kind: string) => string | undefined;

/** One way to ask a route, with the ids still to be filled in. */
export interface Attempt {
  name: string;
  operation: Operation;
  /** Of those at its route. */
  isFirst: boolean;
  /** Of which kinds the things of somebody else are that it names. */
  kinds: ReadonlySet<string>;
  /** @param theirs of what is attacked, or ids of nothing at all */
  request(theirs: IdOf, own: IdOf): { path: string; init: RequestInit };
}

const ALL_THEIRS = 'all theirs';
const INSTALLATION_IDS: Record<string, string> = {
  '/v1/admin/token-keys': 'nobody-knows-this-key',
  '/v1/admin/resilience': 'model:compatible:fake',
  '/v1/admin/faults': '00000000-0000-4000-8000-000000000000',
};

/**
 * Every way to ask a route for things of somebody else: all ids theirs; each id theirs among own ones; no id where it
 * takes some; each thing that a list can be narrowed by.
 */
export function attemptsAt(operation: Operation): Attempt[] {
  const path = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name);
  const inBodies = idsInBodies(operation).map(kindOf);
  const kinds = new Set(
    [...path.map((name) => kindInPath(operation.path, name)), ...inBodies].filter(
      (kind) => !OF_THE_INSTALLATION.has(kind),
    ),
  );
  const at = (how: string, choice: Choice) => attempt(operation, how, choice);
  const attempts = [at(ALL_THEIRS, { isTheirs: () => true })];
  if (kinds.size > 1)
    for (const kind of kinds)
      attempts.push(at(`their ${kind} among own`, { isTheirs: (each) => each === kind }));
  if (inBodies.length > 0) attempts.push(at('naming nothing', { isTheirs: () => false, leavesOut: true }));
  for (const parameter of operation.parameters.filter((each) => each.in === 'query')) {
    if (isIdName(parameter.name)) kindOf(parameter.name); // Fails for one that the world does not know.
    attempts.push(at(`${parameter.name} theirs`, { isTheirs: () => true, query: parameter.name }));
  }
  return attempts;
}

interface Choice {
  isTheirs(kind: string): boolean;
  /** Whether the body has only what it must have. */
  leavesOut?: boolean;
  /** The optional parameter that is given too. */
  query?: string;
}

function attempt(operation: Operation, how: string, choice: Choice): Attempt {
  const kinds = new Set<string>();
  const pick = (kind: string, theirs: IdOf, own: IdOf, index = 0): string => {
    if (OF_THE_INSTALLATION.has(kind)) return INSTALLATION_IDS[kind]!;
    const isTheirs = choice.isTheirs(kind);
    if (isTheirs) kinds.add(kind);
    const idOf = isTheirs ? theirs : own;
    const id = (index > 0 ? idOf(`${kind}, another`) : undefined) ?? idOf(kind);
    if (!id) throw new Error(`The leak test has nothing of ${kind} for ${nameOf(operation)}`);
    return id;
  };
  const request = (theirs: IdOf, own: IdOf) => {
    const textFor = (name: string, schema: Schema, index: number) =>
      isIdName(name)
        ? pick(kindOf(name), theirs, own, index)
        : (textOfFormat(name, schema) ?? WORDS.slice(0, schema.maxLength));
    const search = new URLSearchParams();
    for (const { name, schema, required, in: place } of operation.parameters)
      if (place === 'query' && (required || name === choice.query))
        search.set(name, String(sampleOf(schema, textFor, name)));
    const path = fillPath(operation.path, (name) => pick(kindInPath(operation.path, name), theirs, own));
    return {
      path: search.size > 0 ? `${path}?${search}` : path,
      init: { method: operation.method, ...bodyOf(operation, textFor, choice.leavesOut) },
    };
  };
  const anything = () => '00000000-0000-4000-8000-000000000000';
  request(anything, anything);
  const isFirst = how === ALL_THEIRS;
  return { name: `${nameOf(operation)} (${how})`, operation, isFirst, kinds, request };
}

function bodyOf({ bodies }: Operation, textFor: TextFor, leavesOut = false): RequestInit {
  const form = bodies['multipart/form-data'];
  if (form) {
    const body = new FormData();
    const fields = sampleOf(form, textFor) as Record<string, unknown>;
    for (const [name, value] of Object.entries(fields)) if (name !== 'file') body.append(name, String(value));
    body.append('file', new File(['# Plan\n\nA plan of nobody.\n'], 'plan.md', { type: 'text/markdown' }));
    return { body };
  }
  const json = bodies['application/json'];
  if (!json) return {};
  const sample = sampleOf(leavesOut ? requiredOf(json) : json, textFor);
  return { body: JSON.stringify(sample), headers: { 'content-type': 'application/json' } };
}

/** The names of members that hold ids, wherever they are in a body. */
function idsInBodies({ bodies }: Operation): string[] {
  return Object.values(bodies).flatMap((schema) => [...membersOf(schema)].filter(isIdName));
}

function* membersOf(schema: Schema): Generator<string> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    yield name;
    yield* membersOf(member);
  }
  for (const part of [schema.items, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])])
    if (part) yield* membersOf(part);
}
