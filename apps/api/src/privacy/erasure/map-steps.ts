import type { EntityManager } from 'typeorm';
import type { MappedTable } from '../map/mapped-table.js';
import type { ClaimedRun } from './run.store.js';
import type { Step, StepDone } from './step-runner.js';

/** Rows of one transaction: few enough to be quick, and to stop between two of them. */
const BATCH = 2_000;

export interface PersonRun extends ClaimedRun {
  userId: string;
  heirId: string;
}

/** For each table of the map what its entry says of a person: his rows go, and other rows name him no more. */
export function personSteps(map: readonly MappedTable[]): Step<PersonRun>[] {
  return map
    .filter(({ erased, unlinked }) => erased === 'deleted' || unlinked)
    .map((entry) => ({ name: entry.table, work: (tx, run) => erasePart(tx, entry, run) }));
}

/** For each table of the map that is a tenant's, in the order of the map: whoever refers to others goes first. */
export function tenantSteps(map: readonly MappedTable[]): Step<ClaimedRun>[] {
  return map
    .filter(({ tenant }) => tenant === 'deleted')
    .map((entry) => ({
      name: entry.table,
      work: (tx, { tenantId }) => deleteSome(tx, entry, 'true', [tenantId]),
    }));
}

async function erasePart(
  tx: EntityManager,
  entry: MappedTable,
  { tenantId, userId, heirId }: PersonRun,
): Promise<StepDone> {
  const { table, of, erased, unlinked = [] } = entry;
  for (const { set, where } of unlinked) {
    const parameters = set.includes('$3') ? [tenantId, userId, heirId] : [tenantId, userId];
    await tx.query(`update ${table} t set ${set} where t.tenant_id = $1 and (${where})`, parameters);
  }
  if (erased !== 'deleted' || !of) return {};
  return deleteSome(tx, entry, of, [tenantId, userId]);
}

async function deleteSome(
  tx: EntityManager,
  { table, whole }: MappedTable,
  condition: string,
  parameters: unknown[],
): Promise<StepDone> {
  const limit = whole ? '' : `limit ${BATCH}`;
  const [, count] = await tx.query<[unknown, number]>(
    `delete from ${table} where ctid = any (array(
       select t.ctid from ${table} t where t.tenant_id = $1 and (${condition}) ${limit}))`,
    parameters,
  );
  return { counts: { [table]: count }, more: !whole && count === BATCH };
}
