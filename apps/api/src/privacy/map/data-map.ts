import type { MappedTable } from './mapped-table.js';
import { ACCOUNT_TABLES } from './account-tables.js';
import { DOCUMENT_TABLES } from './document-tables.js';
import { INSTALLATION_TABLES } from './installation-tables.js';

/**
 * Every table of the database: what of a person or a tenant it holds, and how that is exported and erased. Erasures and
 * exports follow it, `docs/privacy.md` prints it, and a test refuses a table that is not in it. Those that refer to others
 * stand before them.
 */
export const DATA_MAP: readonly MappedTable[] = [
  ...DOCUMENT_TABLES,
  ...ACCOUNT_TABLES,
  ...INSTALLATION_TABLES,
];
