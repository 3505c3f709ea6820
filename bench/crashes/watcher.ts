import type { Client } from 'pg';

export interface Resumption {
  documentId: string;
  /** From the death of the worker that held the job until another one holds it, or it is settled. */
  ms: number;
}

/** Looks into the database, as its owner, for what nobody may ever see. */
export class Watcher {
  /** Documents of which only a part was visible, with what was wrong. */
  readonly halfVisible = new Set<string>();
  readonly resumptions: Resumption[] = [];
  private orphaned = new Map<string, { token: string; diedMs: number }>();
  private looks = 0;

  constructor(private readonly database: Client) {}

  get count(): number {
    return this.looks;
  }

  /** The jobs that a worker held when it died. Before it is missed. */
  async noteDeath(pid: number): Promise<void> {
    const diedMs = performance.now();
    const rows = await this.query<{ documentId: string; token: string; workerId: string }>(
      `select document_id as "documentId", fencing_token::text as token, worker_id as "workerId"
       from job where state = 'running'`,
    );
    for (const { documentId, token, workerId } of rows)
      if ((JSON.parse(workerId) as [string, number])[1] === pid)
        this.orphaned.set(documentId, { token, diedMs });
  }

  async look(): Promise<void> {
    this.looks += 1;
    for (const { id, what } of await this.query<{ id: string; what: string }>(HALF_VISIBLE))
      this.halfVisible.add(`${id}: ${what}`);
    await this.lookForResumed();
  }

  private async lookForResumed(): Promise<void> {
    if (this.orphaned.size === 0) return;
    const rows = await this.query<{ documentId: string; token: string; isHeld: boolean }>(
      `select document_id as "documentId", fencing_token::text as token,
              state <> 'queued' as "isHeld"
       from job where document_id = any ($1)`,
      [[...this.orphaned.keys()]],
    );
    for (const { documentId, token, isHeld } of rows) {
      const { token: before, diedMs } = this.orphaned.get(documentId)!;
      if (token === before || !isHeld) continue;
      this.resumptions.push({ documentId, ms: performance.now() - diedMs });
      this.orphaned.delete(documentId);
    }
  }

  private async query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.database.query(sql, values)).rows as Row[];
  }
}

/** One statement sees one moment. Only what changed lately, so that a look stays quick. */
const HALF_VISIBLE = `
  with recent as (
    select * from document where updated_at > now() - interval '3 seconds' and live_generation is not null
  )
  select r.id, 'passages' as what from recent r
  where r.passage_count <> (
    select count(*) from passage p
    where p.tenant_id = r.tenant_id and p.document_id = r.id and p.generation = r.live_generation)
  union all
  select r.id, 'vectors' from recent r
  where r.semantic_generation is not null and exists (
    select from passage p
    where p.tenant_id = r.tenant_id and p.document_id = r.id and p.generation = r.semantic_generation
      and not exists (
        select from passage_vector v
        where v.tenant_id = p.tenant_id and v.document_id = p.document_id and v.generation = p.generation
          and v.ordinal = p.ordinal))`;
