import type { Frontier } from '../merkle/index.js';
import type { NoteVerifier } from '../notes/index.js';
import { openTombstone, RETENTION } from '../retention/index.js';
import type { Finding } from './finding.js';

/**
 * Tells events that left a tenant's log by its retention from those that somebody deleted: the first are all from the
 * beginning on, up to the place that a signed tombstone in the log itself names.
 */
export class RetirementCheck {
  /** Places from the beginning on that have no event. */
  private count = 0;
  /** Of the tree of so many leaves, once an event is there. */
  private root?: Buffer;
  private told = 0;

  constructor(
    private readonly tenantId: string,
    private readonly verifiers: readonly NoteVerifier[],
    private readonly report: (finding: Finding) => void,
  ) {}

  get retired(): number {
    return Math.min(this.count, this.told);
  }

  /** Whether an event that is not there may have been retired; it is judged in the end. */
  mayBeRetired(index: number): boolean {
    if (this.root || index !== this.count) return false;
    this.count += 1;
    return true;
  }

  /** @param body its text, if that is what was sealed */
  present(index: number, eventId: string, body: string | undefined, tree: Frontier): void {
    this.root ??= tree.root();
    if (!body?.includes(`"action":"${RETENTION}"`)) return;
    const event = JSON.parse(body) as { action: string; detail: { note?: unknown } };
    if (event.action !== RETENTION) return;
    const tombstone = openTombstone(event.detail.note, this.verifiers);
    const fits =
      tombstone?.tenantId === this.tenantId &&
      tombstone.to <= index &&
      (tombstone.to !== this.count || tombstone.root.equals(this.root));
    if (fits) this.told = Math.max(this.told, tombstone.to);
    else
      this.report({
        kind: 'tombstone-forged',
        detail: 'what it says of deleted events is not signed by a known key, or not of this tree',
        tenant_id: this.tenantId,
        leaf_index: index,
        event_id: eventId,
      });
  }

  finish(): void {
    if (this.count > this.told)
      this.report({
        kind: 'event-deleted',
        detail: 'events are gone that no tombstone tells of',
        tenant_id: this.tenantId,
        leaf_index: this.told,
        before: this.count,
      });
  }
}
