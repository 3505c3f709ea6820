import type { MappedTable } from './mapped-table.js';

/** Of the installation, which has no tenant and no person. */
const installation = (table: string, holds: string): MappedTable => ({
  table,
  holds,
  tenant: 'none',
  exported: false,
});

/** Evidence, which holds nothing of a person but ids. */
const evidence = (table: string, holds: string): MappedTable => ({
  table,
  holds,
  tenant: 'kept',
  exported: false,
});

export const INSTALLATION_TABLES: readonly MappedTable[] = [
  {
    table: 'audit_event',
    holds: 'Who did what, by ids: no address, no name, no text.',
    of: `t.actor_id = $2 or t.targets @> jsonb_build_array(jsonb_build_object('id', $2::text))`,
    erased: { kept: 'evidence; nothing but the id, which leads to nobody any more' },
    tenant: 'kept',
    exported: true,
    secrets: ['body', 'xid'],
  },
  {
    table: 'audit_pii',
    holds: 'Sealed addresses and names of programs, to which events are committed.',
    erased: { step: 'deleted by the audit log itself, which stays provable' },
    tenant: 'kept',
    exported: false,
  },
  evidence('audit_retirement', 'Which part of a log is not kept any more.'),
  evidence('audit_target', 'Which events are about what, by ids.'),
  evidence('audit_leaf', 'Hashes of events.'),
  evidence('audit_tile', 'Hashes of events.'),
  evidence('audit_tree', 'The state of a tree of hashes.'),
  evidence('audit_head', 'States of trees of hashes.'),
  installation('audit_checkpoint', 'Signed states of all trees.'),
  installation('audit_anchor', 'Where signed states are kept outside.'),
  installation('audit_seal_state', 'How far the log is sealed.'),
  {
    table: 'tenant_deletion',
    holds:
      'Deletions of tenants with their receipts; they keep the id of a tenant from being given out again.',
    erased: { kept: 'the id of the operator' },
    tenant: 'kept',
    exported: false,
  },
  {
    ...installation('resilience_override', 'Orders of operators to policies.'),
    erased: { kept: 'the id of the operator' },
  },
  installation('alert_delivery', 'Alerts on their way to the operators.'),
  installation('alert', 'What is, or was, wrong with the installation.'),
  installation('vector_origin', 'Which embedding models the vectors are of.'),
  installation('token_key', 'Sealed keys that sign access tokens.'),
  installation('schema_migration', 'Which changes the schema has seen.'),
];
