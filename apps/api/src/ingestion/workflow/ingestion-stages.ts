export type StageName = 'receive' | 'extract' | 'structure' | 'embed' | 'assess' | 'publish';

/**
 * The workflow of a document, in one table. `embed` and `assess` need nothing of each other and run side by side.
 * `share` is what a stage is of the whole work, for the progress that a person sees; measured on plan documents,
 * where embedding takes most of the time.
 */
export const INGESTION_STAGES: readonly { name: StageName; after: readonly StageName[]; share: number }[] = [
  { name: 'receive', after: [], share: 0.02 },
  { name: 'extract', after: ['receive'], share: 0.2 },
  { name: 'structure', after: ['extract'], share: 0.08 },
  { name: 'embed', after: ['structure'], share: 0.64 },
  { name: 'assess', after: ['structure'], share: 0.04 },
  { name: 'publish', after: ['embed', 'assess'], share: 0.02 },
];

export const STAGE_NAMES: readonly StageName[] = INGESTION_STAGES.map((stage) => stage.name);
