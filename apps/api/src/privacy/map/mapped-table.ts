/** What becomes of a person's rows when he is erased. */
export type Erasure =
  /** Deleted in batches, by the condition `of`. */
  | 'deleted'
  /** They go with the rows of another table, by a foreign key or a trigger. */
  | { with: string }
  /** A step of its own sees to it; in words, for the documentation. */
  | { step: string }
  /** They stay; why, for the documentation. */
  | { kept: string };

/** A statement that takes a person's id out of a row that is not his. */
export interface Unlinking {
  /** `$2` is the person, `$3` who takes over. */
  set: string;
  where: string;
}

/** What a table holds of people and of tenants, and how it leaves. */
export interface MappedTable {
  /** Its name; one that ends in `*` stands for all tables that begin so. */
  readonly table: string;
  readonly holds: string;
  /** The rows that are a person's, as SQL over the alias `t`: `$1` is his tenant, `$2` his id. */
  readonly of?: string;
  /** Absent: nothing in it is of a person. */
  readonly erased?: Erasure;
  readonly unlinked?: readonly Unlinking[];
  /** `deleted` when their tenant is; `with tenant`: by a foreign key; `kept` as evidence; `none`: of no tenant. */
  readonly tenant: 'deleted' | 'with tenant' | 'kept' | 'none';
  /** False: it can be made anew from what is exported, or is of use to this program alone. */
  readonly exported: boolean;
  /** Its rows refer to one another, so they go in one statement. */
  readonly whole?: true;
  /** Columns that never leave: hashes of secrets, sealed values, and what only this program can read. */
  readonly secrets?: readonly string[];
}

/** Whether an entry stands for this table of the database. */
export function isOf({ table }: MappedTable, name: string): boolean {
  return table.endsWith('*') ? name.startsWith(table.slice(0, -1)) : table === name;
}
