import type { Operator } from './harness/operator.js';
import type { SetUp, World } from './harness/world.js';
import type { Evidence } from './evidence.js';
import type { Client } from './load/client.js';
import type { History, Level } from './load/history.js';

/** One fault, and what must hold while it lasts and afterwards. */
export interface Cell {
  /** Of the fault matrix. */
  id: string;
  dependency: string;
  fault: string;
  setUp: SetUp;
  /** How long the fault lasts. */
  seconds: number;
  /** The program is watched so long before the fault, at least; for bounds that compare. */
  steadySeconds?: number;
  /** Calls a second of all four tenants; 10 unless given. */
  perSecond?: number;
  begin(play: Play): Promise<unknown>;
  /** What happens while the fault lasts, besides the load; waits for `seconds` unless given. */
  during?(play: Play): Promise<unknown>;
  heal(play: Play): Promise<unknown>;
  /** Levels that answers may have during the fault. */
  levels: readonly Level[];
  /** From the end of the fault to full answers. */
  recoverWithinMs: number;
  /** Beyond levels and recovery, which always hold. */
  expects(evidence: Evidence, play: Play): Expectation[] | Promise<Expectation[]>;
  /** Why it cannot be run on this machine; undefined when it can. */
  impossible?(): string | undefined;
  /** Checks that have no meaning here, with the reason. */
  without?: Partial<Record<CheckName, string>>;
  /** An alert must have been opened and resolved. */
  alerts?: boolean;
}

export const CHECK_NAMES = [
  'acknowledged',
  'once',
  'isolation',
  'audit',
  'states',
  'baseline',
  'levels',
  'amplification',
  'secrets',
  'alerts',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

/** A bound, and whether it was kept; the text has the measurement in it. */
export interface Expectation {
  kept: boolean;
  text: string;
}

export const expectThat = (kept: boolean, text: string): Expectation => ({ kept, text });

/** What a cell works with while it is played. */
export interface Play {
  cell: Cell;
  world: World;
  client: Client;
  history: History;
  operator: Operator;
  /** For what a cell measures by itself. */
  notes: Record<string, number>;
}
