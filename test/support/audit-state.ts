import type { ArchiveRecord } from '#libs/audit';
import { LOG } from '../../libs/audit/src/sealing/index.js';

/** Records of one type. */
export type Of<Type extends ArchiveRecord['type']> = Extract<ArchiveRecord, { type: Type }>;
export interface Tree {
  tree: Of<'tree'>;
  entries: Of<'entry'>[];
  tiles: Of<'tile'>[];
}

/** All evidence of a log, in hand to be changed: small trees only, without tiles of higher levels. */
export interface LogState {
  start: Of<'archive'>;
  checkpoints: Of<'checkpoint'>[];
  heads: Of<'head'>[];
  logTiles: Of<'tile'>[];
  trees: Tree[];
  unsealed: Of<'unsealed'>[];
}

export function stateOf(records: readonly ArchiveRecord[]): LogState {
  const of = <Type extends ArchiveRecord['type']>(type: Type) =>
    records.filter((record): record is Of<Type> => record.type === type);
  const [entries, tiles] = [of('entry'), of('tile')];
  return {
    start: of('archive')[0]!,
    checkpoints: of('checkpoint'),
    heads: of('head'),
    logTiles: tiles.filter(({ tenant_id }) => tenant_id === LOG),
    trees: of('tree').map((tree) => ({
      tree,
      entries: entries.filter(({ tenant_id }) => tenant_id === tree.tenant_id),
      tiles: tiles.filter(({ tenant_id }) => tenant_id === tree.tenant_id),
    })),
    unsealed: of('unsealed'),
  };
}

export function recordsOf(state: LogState): ArchiveRecord[] {
  const records: ArchiveRecord[] = [
    state.start,
    ...state.checkpoints,
    ...state.heads,
    ...state.logTiles,
    ...state.trees.flatMap(({ tree, tiles, entries }) => [tree, ...tiles, ...entries]),
    ...state.unsealed,
  ];
  return [...records, { type: 'end', records: records.length }];
}
