import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Leaves, tiles and what is signed of them: written once. */
const WRITTEN_ONCE = ['audit_leaf', 'audit_tile', 'audit_head', 'audit_checkpoint', 'audit_anchor'];
/** How far the trees and the sealer have come. */
const STATES = ['audit_tree', 'audit_seal_state'];
const RETIRING = ['audit_retire(uuid)', 'audit_held_from()', 'audit_tombstone_end(uuid)'];
const RETIREMENT = 'tenant_id, upto, event_id, archive';
const EVENT = `tenant_id, id, occurred_at, action, category, actor_type, actor_id, actor_role, credential_id,
  targets, outcome, reason, request_id, route, context, detail, body`;
const TOMBSTONE = 'audit.retention';

/**
 * The evidence over the audit log is written by a login of its own, which writes nothing else; the role
 * `navigator_sealer` is made before any migration. Whoever gets hold of the program's login can still add events, but
 * neither seal them, nor sign for them, nor let any leave the log.
 */
export class SeparateSealer1764000034000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`revoke insert, update on ${[...WRITTEN_ONCE, ...STATES].join(', ')} from navigator_app`);
    await q.query(`revoke insert on audit_retirement from navigator_app`);
    for (const each of RETIRING) await q.query(`revoke execute on function ${each} from navigator_app`);

    await q.query(`grant usage on schema public to navigator_sealer`);
    await q.query(
      `grant select on audit_event, audit_retirement, ${[...WRITTEN_ONCE, ...STATES].join(', ')} to navigator_sealer`,
    );
    await q.query(`grant insert on audit_tree, ${WRITTEN_ONCE.join(', ')} to navigator_sealer`);
    await q.query(`grant update (size, frontier, checkpointed_size) on audit_tree to navigator_sealer`);
    await q.query(`grant update (xid, event_id, restored) on audit_seal_state to navigator_sealer`);
    // Which tenants keep their log for how long. Who logs in is no concern of its, and that policy would ask for users.
    await q.query(`grant select (tenant_id, settings) on tenant to navigator_sealer`);
    await q.query(`alter policy login on tenant to navigator_app`);
    await q.query(`grant insert (${RETIREMENT}) on audit_retirement to navigator_sealer`);
    for (const each of RETIRING) await q.query(`grant execute on function ${each} to navigator_sealer`);
    await letTombstonesThrough(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter policy login on tenant to public`);
    for (const policy of ['only_tombstones', 'no_tombstones'])
      await q.query(`drop policy ${policy} on audit_event`);
    for (const each of RETIRING) await q.query(`revoke execute on function ${each} from navigator_sealer`);
    const tables = ['tenant', 'audit_event', 'audit_target', 'audit_retirement', ...STATES, ...WRITTEN_ONCE];
    await q.query(`revoke all on ${tables.join(', ')} from navigator_sealer`);
    await q.query(`revoke usage on schema public from navigator_sealer`);

    await q.query(`grant insert on ${[...WRITTEN_ONCE, ...STATES].join(', ')} to navigator_app`);
    await q.query(`grant update on ${STATES.join(', ')} to navigator_app`);
    await q.query(`grant insert (${RETIREMENT}) on audit_retirement to navigator_app`);
    for (const each of RETIRING) await q.query(`grant execute on function ${each} to navigator_app`);
  }
}

/**
 * The one kind of event that the sealer appends tells of others that leave the log. It does so in the transaction that
 * notes them, and nobody else may say such a thing. The index of targets is kept by a trigger in its name.
 */
async function letTombstonesThrough(q: QueryRunner): Promise<void> {
  await q.query(`grant insert (${EVENT}) on audit_event to navigator_sealer`);
  await q.query(`grant insert on audit_target to navigator_sealer`);
  await q.query(
    `create policy only_tombstones on audit_event as restrictive for insert to navigator_sealer
       with check (action = '${TOMBSTONE}')`,
  );
  await q.query(
    `create policy no_tombstones on audit_event as restrictive for insert to navigator_app
       with check (action <> '${TOMBSTONE}')`,
  );
}
