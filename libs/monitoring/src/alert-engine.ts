import { Logger } from '@nestjs/common';
import { uuidv7 } from '#libs/database';
import { gauge } from '#libs/observability';
import { type Clock, systemClock } from '#libs/resilience';
import { type Alert, type AlertRule, type AlertTransition, type Observation, SEVERITIES } from './alert.js';

const active = gauge({
  name: 'navigator_alerts_active',
  help: 'Alerts that are open, as this process sees them',
  labelNames: ['rule', 'severity'],
});

/** As often in as long: from then on an alert flaps, and is resolved only when it was quiet for all that time. */
const FLAPPING_OPENINGS = 4;
const FLAPPING_WINDOW_MS = 600_000;

export interface AlertEngineOptions {
  /** How long something must be wrong before it is an alert, and right before it is none any more. */
  forMs: number;
  resolveMs: number;
  /** This process' name in alerts that are about it alone. */
  replica: string;
  clock?: Clock;
}

type Listener = (alert: Alert, transition: AlertTransition) => void;

/** What is known of one fingerprint. Times are the clock's. */
interface Track {
  rule: AlertRule;
  /** Seen without a pause since. */
  seenSince?: number;
  /** Not seen since. */
  clearSince?: number;
  alert?: Alert;
  openings: number[];
}

/**
 * Turns what rules see into alerts: one for each fingerprint, opened when it has been seen for long enough, resolved by
 * itself when it has not been seen for long enough.
 */
export class AlertEngine {
  private readonly logger = new Logger(AlertEngine.name);
  private readonly tracks = new Map<string, Track>();
  private readonly clock: Clock;

  constructor(
    private readonly rules: readonly AlertRule[],
    private readonly options: AlertEngineOptions,
    private readonly onTransition: Listener,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /** Those that are open, the oldest first. */
  active(): Alert[] {
    return [...this.tracks.values()]
      .flatMap(({ alert }) => alert ?? [])
      .sort((a, b) => a.openedAt.getTime() - b.openedAt.getTime());
  }

  /** Goes on with the alerts that a process of this name left open. */
  restore(alerts: readonly Alert[]): void {
    const now = this.clock.now();
    for (const alert of alerts) {
      const rule = this.rules.find(({ name }) => name === alert.rule);
      if (rule && !this.tracks.has(alert.fingerprint))
        this.tracks.set(alert.fingerprint, { rule, alert, clearSince: now, openings: [now] });
    }
  }

  /** Looks once. */
  async evaluate(): Promise<void> {
    const seen = await Promise.all(this.rules.map((rule) => this.observe(rule)));
    const now = this.clock.now();
    const wrong = new Set<string>();
    const failed = new Set(this.rules.filter((_, i) => seen[i] === undefined));
    this.rules.forEach((rule, i) => {
      for (const observation of seen[i] ?? []) {
        const fingerprint = this.fingerprintOf(rule, observation);
        wrong.add(fingerprint);
        this.saw(fingerprint, rule, observation, now);
      }
    });
    for (const [fingerprint, track] of this.tracks)
      if (!wrong.has(fingerprint) && !failed.has(track.rule)) this.missed(fingerprint, track, now);
    this.count();
  }

  private async observe(rule: AlertRule): Promise<Observation[] | undefined> {
    try {
      return await rule.observe();
    } catch (error) {
      this.logger.debug({ rule: rule.name, reason: (error as Error).name }, 'a rule could not look');
      return undefined;
    }
  }

  private saw(fingerprint: string, rule: AlertRule, observation: Observation, now: number): void {
    const track: Track = this.tracks.get(fingerprint) ?? { rule, openings: [] };
    this.tracks.set(fingerprint, track);
    track.clearSince = undefined;
    track.seenSince ??= now;
    const { alert } = track;
    if (alert) this.renew(alert, rule, observation);
    else if (now - track.seenSince >= (rule.forMs ?? this.options.forMs))
      this.open(fingerprint, track, observation, now);
  }

  private open(fingerprint: string, track: Track, observation: Observation, now: number): void {
    const { rule } = track;
    track.openings = [...track.openings.filter((at) => now - at < FLAPPING_WINDOW_MS), now];
    const openedAt = new Date();
    track.alert = {
      id: uuidv7(),
      fingerprint,
      rule: rule.name,
      subject: observation.subject,
      severity: observation.severity ?? rule.severity,
      summary: observation.summary,
      replica: observation.scope === 'fleet' ? undefined : this.options.replica,
      flapping: track.openings.length >= FLAPPING_OPENINGS,
      openedAt,
      lastSeenAt: openedAt,
    };
    this.onTransition(track.alert, 'opened');
  }

  /** It may get worse while it is open; when it gets better, the alert stays at its worst. */
  private renew(alert: Alert, rule: AlertRule, { severity = rule.severity, summary }: Observation): void {
    alert.lastSeenAt = new Date();
    if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(alert.severity)) return;
    alert.severity = severity;
    alert.summary = summary;
  }

  private missed(fingerprint: string, track: Track, now: number): void {
    track.seenSince = undefined;
    track.clearSince ??= now;
    const { alert } = track;
    if (!alert) {
      // Its openings are remembered for as long as they count.
      if (!track.openings.some((at) => now - at < FLAPPING_WINDOW_MS)) this.tracks.delete(fingerprint);
      return;
    }
    const quietMs = alert.flapping ? FLAPPING_WINDOW_MS : this.options.resolveMs;
    if (now - track.clearSince < quietMs) return;
    alert.resolvedAt = new Date();
    alert.resolvedCause = track.rule.cleared;
    track.alert = undefined;
    this.onTransition(alert, 'resolved');
  }

  private count(): void {
    active.reset();
    for (const { rule, severity } of this.active()) active.inc({ rule, severity });
  }

  private fingerprintOf(rule: AlertRule, { subject, scope }: Observation): string {
    const about = `${rule.name}:${subject}`;
    return scope === 'fleet' ? about : `${about}@${this.options.replica}`;
  }
}
