export const STAGE_NAMES = ['receive', 'extract', 'structure', 'embed', 'assess', 'publish'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/**
 * The workflow of a document, in one table. `embed` and `assess` need nothing of each other and run side by side.
 * `share` is what a stage is of the whole work, for the progress that a person sees; measured on plan documents,
 * where embedding takes most of the time. What a stage `publishes` is seen by questions, so none of it is committed
 * while a person has not yet decided about it.
 */
export const INGESTION_STAGES: readonly StageDefinition[] = [
  { name: 'receive', after: [], share: 0.02 },
  { name: 'extract', after: ['receive'], share: 0.2 },
  { name: 'structure', after: ['extract'], share: 0.08, publishes: true, isLookedUp: true },
  { name: 'embed', after: ['structure'], share: 0.64, publishes: true },
  { name: 'assess', after: ['structure'], share: 0.04 },
  { name: 'publish', after: ['embed', 'assess'], share: 0.02, publishes: true },
];

interface StageDefinition {
  name: StageName;
  after: readonly StageName[];
  share: number;
  publishes?: boolean;
  /** The stages after it read out of the database what it leaves there, so that must not wait. */
  isLookedUp?: boolean;
}

/** The stages and all that build on them, directly or not. */
export function withDependents(...names: StageName[]): Set<StageName> {
  const found = new Set(names);
  for (const stage of INGESTION_STAGES)
    if (stage.after.some((other) => found.has(other))) found.add(stage.name);
  return found;
}
