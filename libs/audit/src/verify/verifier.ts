import { alteredColumns } from '../event/audit-body.js';
import { leafHash } from '../merkle/index.js';
import { type Checkpoint, type NoteVerifier, openNote, parseCheckpoint } from '../notes/index.js';
import { headBody, LOG } from '../sealing/index.js';
import {
  ARCHIVE_FORMAT,
  type ArchiveRecord,
  type EntryRecord,
  type HeadRecord,
  type UnsealedRecord,
} from './archive.js';
import type { Finding, Verdict } from './finding.js';
import { RetirementCheck } from './retirement-check.js';
import { type ExpectedRoot, TreeCheck } from './tree-check.js';

/** A checkpoint as it was kept outside of the database. */
export interface AnchoredCheckpoint {
  no: number;
  note: string;
}

/** It is no archive, or its end is missing, so that it says nothing about the log. */
export class ArchiveUnreadable extends Error {
  constructor(reason: string) {
    super(`The archive cannot be read: ${reason}`);
    this.name = 'ArchiveUnreadable';
  }
}

/** Sealing takes a second and a checkpoint ten; what is younger than this may still be on its way. */
const ON_ITS_WAY_MS = 120_000;
/** More would not say more. */
const MOST_FINDINGS = 1_000;

/**
 * Judges an archive by the keys and the anchored checkpoints that its reader trusts, record by record, with memory for
 * heads and checkpoints only. Nothing that the archive says about itself is believed: leaves are computed from the texts
 * of events, roots from leaves, and compared up to what was signed.
 */
export class ArchiveVerifier {
  private readonly findings: Finding[] = [];
  private readonly incomplete: string[] = [];
  private readonly counts: Verdict['counts'];
  private readonly signed: ExpectedRoot[] = [];
  private readonly heads = new Map<string, ExpectedRoot[]>();
  private at = NaN;
  private records = 0;
  private ended = false;
  private lastNo = 0;
  private readonly notes = new Set<string>();
  private log?: TreeCheck;
  private tree?: {
    check: TreeCheck;
    retirement: RetirementCheck;
    tenantId: string;
    size: number;
    root: string;
    waitingSince?: string;
  };

  constructor(
    private readonly verifiers: readonly NoteVerifier[],
    private readonly anchors: readonly AnchoredCheckpoint[],
  ) {
    this.counts = { events: 0, retired: 0, trees: 0, heads: 0, checkpoints: 0, anchors: anchors.length };
  }

  /** @throws ArchiveUnreadable */
  accept(record: ArchiveRecord): void {
    if (Number.isNaN(this.at) !== (record.type === 'archive'))
      throw new ArchiveUnreadable('it does not begin');
    if (record.type === 'archive') {
      if (record.format !== ARCHIVE_FORMAT) throw new ArchiveUnreadable('it has another format');
      this.at = Date.parse(record.at);
    } else if (record.type === 'checkpoint') this.checkpoint(record);
    else if (record.type === 'head') this.head(record);
    else if (record.type === 'tree') this.startTree(record);
    else if (record.type === 'tile')
      (record.tenant_id === LOG ? this.openLog() : this.treeOf(record.tenant_id).check).addTile(record);
    else if (record.type === 'entry') this.entry(record);
    else if (record.type === 'unsealed') this.unsealed(record);
    else this.end(record.records);
    this.records += 1;
  }

  /** @throws ArchiveUnreadable when the end has not come */
  verdict(): Verdict {
    if (!this.ended) throw new ArchiveUnreadable('its end is missing');
    const { findings, incomplete, counts } = this;
    const otherwise = incomplete.length > 0 ? 'incomplete' : 'clean';
    return { status: findings.length > 0 ? 'tampered' : otherwise, findings, incomplete, counts };
  }

  private checkpoint({ no, note }: { no: number; note: string }): void {
    this.counts.checkpoints += 1;
    if (no !== this.lastNo + 1)
      this.found({
        kind: 'checkpoint-deleted',
        detail: `checkpoints ${this.lastNo + 1} to ${no - 1} are gone`,
      });
    this.lastNo = no;
    const opened = this.opened(note);
    const isForged = !opened || this.notes.has(note) || opened.size < (this.signed.at(-1)?.size ?? 0);
    this.notes.add(note);
    if (isForged)
      this.found({ kind: 'checkpoint-forged', detail: `checkpoint ${no} is not what was signed then` });
    else this.signed.push(opened);
  }

  private opened(note: string): Checkpoint | undefined {
    try {
      return parseCheckpoint(openNote(note, this.verifiers));
    } catch {
      return undefined;
    }
  }

  /** Everything signed is known by now: what the archive has, and what was kept elsewhere. */
  private openLog(): TreeCheck {
    if (this.log) return this.log;
    const anchored: ExpectedRoot[] = [];
    for (const { no, note } of this.anchors) {
      const opened = this.opened(note);
      if (opened) anchored.push(opened);
      else
        this.found({
          kind: 'checkpoint-forged',
          detail: `anchored checkpoint ${no} is not signed by a known key`,
        });
    }
    const newest = this.anchors.reduce((most, { no }) => Math.max(most, no), 0);
    if (newest > this.lastNo)
      this.found({
        kind: 'checkpoint-deleted',
        detail: `checkpoints ${this.lastNo + 1} to ${newest} are gone`,
      });
    if (this.anchors.length === 0)
      this.incomplete.push('no checkpoint was given that is kept outside of the database');
    const names = { rewritten: 'log-rewritten', truncated: 'log-rolled-back' } as const;
    this.log = new TreeCheck([...this.signed, ...anchored], names, (finding) => this.found(finding));
    return this.log;
  }

  private head({ log_index, tenant_id, size, root, hash }: HeadRecord): void {
    const log = this.openLog();
    this.counts.heads += 1;
    const place = { leaf_index: log_index };
    if (log_index !== log.frontier.size) {
      this.found({
        kind: 'head-changed',
        detail: 'heads of the log are gone',
        leaf_index: log.frontier.size,
        before: log_index,
      });
      log.explain();
    }
    if (tenant_id === null || size === null || root === null) {
      this.found({ kind: 'head-changed', detail: 'a head of the log is gone', ...place });
      log.explain();
      log.addLeaf(Buffer.from(hash ?? '', 'base64'));
      return;
    }
    const state = { size, root: Buffer.from(root, 'base64') };
    const computed = leafHash(Buffer.from(headBody({ tenantId: tenant_id, ...state })));
    if (hash !== computed.toString('base64')) {
      this.found({ kind: 'head-changed', detail: 'a head of the log was changed', tenant_id, ...place });
      log.explain();
    } else this.heads.set(tenant_id, [...(this.heads.get(tenant_id) ?? []), state]);
    log.addLeaf(computed);
  }

  private startTree({ tenant_id, size, root }: { tenant_id: string; size: number; root: string }): void {
    this.finishTree();
    this.counts.trees += 1;
    const names = { rewritten: 'tree-rewritten', truncated: 'tree-truncated', tenantId: tenant_id } as const;
    const check = new TreeCheck(this.heads.get(tenant_id) ?? [], names, (finding) => this.found(finding));
    const retirement = new RetirementCheck(tenant_id, this.verifiers, (finding) => this.found(finding));
    this.tree = { check, retirement, tenantId: tenant_id, size, root };
  }

  private treeOf(tenantId: string): NonNullable<typeof this.tree> {
    if (this.tree?.tenantId !== tenantId) throw new ArchiveUnreadable('an entry stands outside of its tree');
    return this.tree;
  }

  private entry({ tenant_id, leaf_index, event_id, hash, body, columns }: EntryRecord): void {
    const { check, retirement } = this.treeOf(tenant_id);
    this.counts.events += 1;
    const place = { tenant_id, leaf_index, event_id };
    const told = (kind: Finding['kind'], detail: string) => {
      this.found({ kind, detail, ...place });
      check.explain();
    };
    if (leaf_index !== check.frontier.size) {
      const gap = { leaf_index: check.frontier.size, before: leaf_index };
      this.found({ kind: 'leaf-deleted', detail: 'places of the tree are gone', tenant_id, ...gap });
      check.explain();
    }
    const stored = Buffer.from(hash, 'base64');
    const tile = check.tileHash(leaf_index);
    if (body === null || columns === null) {
      if (!retirement.mayBeRetired(leaf_index)) told('event-deleted', 'the event is gone');
    } else {
      const computed = leafHash(Buffer.from(body));
      retirement.present(leaf_index, event_id, computed.equals(stored) ? body : undefined, check.frontier);
      if (!computed.equals(stored) && !(tile && computed.equals(tile)))
        told('body-changed', 'the text of the event is not what was sealed');
      const altered = alteredColumns(columns, body);
      if (altered.length > 0) told('columns-changed', `its text says otherwise: ${altered.join(', ')}`);
    }
    if (tile && !tile.equals(stored)) told('leaf-changed', 'the hash at this place is not that of its tile');
    check.addLeaf(stored);
    if (check.frontier.size > (this.heads.get(tenant_id)?.at(-1)?.size ?? 0))
      this.tree!.waitingSince ??= columns?.occurred_at;
  }

  private finishTree(): void {
    if (!this.tree) return;
    const { check, retirement, tenantId, size, root, waitingSince } = this.tree;
    this.tree = undefined;
    this.heads.delete(tenantId);
    const before = this.findings.length;
    check.finish();
    retirement.finish();
    this.counts.retired += retirement.retired;
    const { frontier } = check;
    const fits = size === frontier.size && root === frontier.root().toString('base64');
    if (!fits && this.findings.length === before && !check.explained)
      this.found({
        kind: 'tree-changed',
        detail: `it is said to have ${size} leaves, and has ${frontier.size}`,
        tenant_id: tenantId,
        leaf_index: Math.min(size, frontier.size),
      });
    if (waitingSince && this.isOld(waitingSince))
      this.incomplete.push(`events of tenant ${tenantId} since ${waitingSince} are under no checkpoint`);
  }

  private unsealed({ tenant_id, event_id, occurred_at, behind }: UnsealedRecord): void {
    if (behind)
      this.found({
        kind: 'event-inserted',
        detail: 'an event has no place in the tree',
        tenant_id,
        event_id,
      });
    else if (this.isOld(occurred_at))
      this.incomplete.push(`event ${event_id} of ${occurred_at} is not sealed`);
  }

  private end(records: number): void {
    if (records !== this.records) throw new ArchiveUnreadable('records are missing');
    this.finishLog();
    this.finishTree();
    for (const [tenant_id, heads] of this.heads) {
      const before = heads.at(-1)!.size;
      this.found({
        kind: 'tree-truncated',
        detail: 'the whole tree is gone',
        tenant_id,
        leaf_index: 0,
        before,
      });
    }
    if (this.counts.events > 0 && this.counts.checkpoints === 0)
      this.incomplete.push('nothing was ever signed');
    this.ended = true;
  }

  private finishLog(): void {
    const log = this.openLog();
    log.finish();
    const { size } = log.frontier;
    const signed = this.signed.at(-1)?.size ?? 0;
    // Heads are written together with the checkpoint that signs them.
    if (size > signed && !log.explained)
      this.found({
        kind: 'checkpoint-deleted',
        detail: 'heads are under no checkpoint',
        leaf_index: signed,
        before: size,
      });
  }

  private isOld(moment: string): boolean {
    return this.at - Date.parse(moment) > ON_ITS_WAY_MS;
  }

  private found(finding: Finding): void {
    if (this.findings.length < MOST_FINDINGS) this.findings.push(finding);
  }
}
