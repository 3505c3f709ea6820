export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that is wrong at this moment, as a rule sees it. */
export interface Observation {
  /** What it is about, such as a policy's name; a rule has at most one alert for each. */
  subject: string;
  /** For people; names and numbers, never data of a tenant. */
  summary: string;
  /** The rule's unless given. */
  severity?: Severity;
  /** fleet: every process sees the same, and one alert is enough. Unless given, it is about this process alone. */
  scope?: 'fleet' | 'replica';
}

export interface AlertRule {
  /** Stable: `circuit-open`. */
  readonly name: string;
  readonly severity: Severity;
  /** What it means that it is over: becomes the cause of the resolution. */
  readonly cleared: string;
  /** How long it must be seen without a pause before the alert opens; the engine's own unless given. */
  readonly forMs?: number;
  /** What is wrong now; asked every second. A rule that fails has seen nothing and cleared nothing. */
  observe(): Observation[] | Promise<Observation[]>;
}

export interface Alert {
  /** Of the one in the database, once it is there. */
  id: string;
  /** Unique among the active ones. */
  readonly fingerprint: string;
  readonly rule: string;
  readonly subject: string;
  severity: Severity;
  summary: string;
  /** The process that it is about; undefined when it is about all. */
  readonly replica?: string;
  /** It has come and gone so often that it is kept open until it has been quiet for long. */
  flapping: boolean;
  readonly openedAt: Date;
  lastSeenAt: Date;
  resolvedAt?: Date;
  resolvedCause?: string;
}

export type AlertTransition = 'opened' | 'resolved';
