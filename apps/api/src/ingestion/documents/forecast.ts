import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Document, StageState } from './document.js';
import { type Pace, remainingSeconds } from './expected-time.js';

/** A pace changes slowly, and every look at a document asks for it. */
const PACE_MS = 15_000;
const MOST_TENANTS = 1_000;
/** Who has more documents before him is told nothing: the pace will have changed by then. */
const MOST_AHEAD = 1_000;

/** When documents that are queued or worked on will be ready, as far as that can be told. */
@Injectable()
export class Forecast {
  private readonly paces = new Map<string, { pace: Promise<Paces>; until: number }>();

  /** By document; what is at rest, paused or unforeseeable is not in it. Two queries for any number of documents. */
  async expectedAt(
    tx: EntityManager,
    tenantId: string,
    documents: readonly { document: Document; stages: readonly StageState[] }[],
    now = new Date(),
  ): Promise<Map<string, Date>> {
    const open = documents.filter(
      ({ document: { status } }) => status === 'queued' || status === 'processing',
    );
    if (open.length === 0) return new Map();
    const [places, paces] = [await this.places(tx, open), await this.pacesOf(tx, tenantId)];
    const expected = new Map<string, Date>();
    for (const { document, stages } of open) {
      const waiting = waitingSeconds(places.get(document.id), paces.jobSeconds);
      const remaining = remainingSeconds(stages, document.sizeBytes, paces.of(document.mediaType), now);
      if (waiting === undefined || remaining === undefined) continue;
      expected.set(document.id, new Date(Math.ceil(now.getTime() / 1_000 + waiting + remaining) * 1_000));
    }
    return expected;
  }

  /** When all that waits and runs now will be done. */
  async allDoneAt(
    tx: EntityManager,
    tenantId: string,
    { waiting, running }: { waiting: number; running: number },
    now = new Date(),
  ): Promise<Date | undefined> {
    const { jobSeconds } = await this.pacesOf(tx, tenantId);
    if (waiting + running === 0 || jobSeconds === undefined) return undefined;
    // What runs is half done, on the average.
    const seconds = ((waiting + running / 2) * jobSeconds) / Math.max(1, running);
    return new Date(Math.ceil(now.getTime() / 1_000 + seconds) * 1_000);
  }

  private async places(
    tx: EntityManager,
    open: readonly { document: Document }[],
  ): Promise<ReadonlyMap<string, Place>> {
    const rows: (Place & { documentId: string })[] = await tx.query(
      `with line as (
         select document_id, (row_number() over (order by turn_at) - 1)::int as ahead
         from (select document_id, turn_at from job
               where tenant_id = app_tenant() and state = 'queued'
               order by turn_at limit $2) as first
       )
       select j.document_id as "documentId", j.state, line.ahead,
              (select count(*)::int from job r where r.tenant_id = j.tenant_id and r.state = 'running') as running,
              j.run_at = 'infinity' or exists (select from ingestion_control where paused_at is not null)
                as "isPaused"
       from job j left join line on line.document_id = j.document_id
       where j.tenant_id = app_tenant() and j.document_id = any ($1::uuid[])`,
      [open.map(({ document }) => document.id), MOST_AHEAD],
    );
    return new Map(rows.map((row) => [row.documentId, row]));
  }

  private pacesOf(tx: EntityManager, tenantId: string): Promise<Paces> {
    const known = this.paces.get(tenantId);
    if (known && known.until > performance.now()) return known.pace;
    if (this.paces.size >= MOST_TENANTS) this.paces.clear();
    const pace = readPaces(tx);
    this.paces.set(tenantId, { pace, until: performance.now() + PACE_MS });
    pace.catch(() => this.paces.delete(tenantId));
    return pace;
  }
}

interface Place {
  state: string;
  /** null when there are too many. */
  ahead: number | null;
  running: number;
  isPaused: boolean;
}

function waitingSeconds(place: Place | undefined, jobSeconds: number | undefined): number | undefined {
  if (!place) return undefined;
  const { state, ahead, running, isPaused } = place;
  if (state !== 'queued') return 0;
  if (isPaused || ahead === null) return undefined;
  return ahead === 0 ? 0 : jobSeconds && (ahead * jobSeconds) / Math.max(1, running);
}

/** Of the jobs that were taken last, whatever became of them. */
async function readPaces(tx: EntityManager): Promise<Paces> {
  return new Paces(
    await tx.query(
      `select d.media_type as "mediaType", s.name, count(*)::int as jobs,
              sum(extract(epoch from s.finished_at - s.started_at))::float8 as seconds,
              sum(d.size_bytes)::float8 as bytes
       from (select document_id from job
             where tenant_id = app_tenant() and claimed_at is not null
             order by claimed_at desc limit 50) recent
       join document d on d.id = recent.document_id
       join job_stage s on s.document_id = recent.document_id and s.status = 'done' and s.started_at is not null
       group by d.media_type, s.name`,
    ),
  );
}

interface PaceRow {
  mediaType: string;
  name: string;
  jobs: number;
  seconds: number;
  bytes: number;
}

class Paces {
  /** Of a whole job of any type; undefined when none is known. */
  readonly jobSeconds: number | undefined;

  constructor(private readonly rows: readonly PaceRow[]) {
    this.jobSeconds = rows.length === 0 ? undefined : this.seconds(rows);
  }

  /** Of documents of this type, or of all while there was none. */
  of(mediaType: string): Pace | undefined {
    const alike = this.rows.filter((row) => row.mediaType === mediaType);
    const rows = alike.length > 0 ? alike : this.rows;
    if (rows.length === 0) return undefined;
    const names = new Set(rows.map(({ name }) => name));
    const secondsPerByte = new Map(
      [...names].map((name) => {
        const same = rows.filter((row) => row.name === name);
        return [name, sum(same, 'seconds') / Math.max(1, sum(same, 'bytes'))] as const;
      }),
    );
    return { secondsPerByte };
  }

  private seconds(rows: readonly PaceRow[]): number {
    return rows.reduce((total, { name, seconds }) => {
      const same = rows.filter((row) => row.name === name);
      return total + seconds / Math.max(1, sum(same, 'jobs'));
    }, 0);
  }
}

function sum(rows: readonly PaceRow[], of: 'jobs' | 'seconds' | 'bytes'): number {
  return rows.reduce((total, row) => total + row[of], 0);
}
