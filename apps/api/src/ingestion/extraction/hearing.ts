/** What it took to write down what is said in a recording, or in a part of one. */
export interface Hearing {
  /** Length of what was heard; long silences are not. */
  audioMs: number;
  /** With waiting for a process or a server. Parts are heard beside each other, so the sum is more than went by. */
  wallMs: number;
  /** Of processors of this machine. */
  cpuMs: number;
  /** In the currency of `TRANSCRIBER_PRICE_PER_MINUTE`. */
  cost: number;
}

export function sumOfHearing(parts: readonly (Hearing | undefined)[]): Hearing | undefined {
  return parts.reduce(
    (sum, part) =>
      sum && part
        ? {
            audioMs: sum.audioMs + part.audioMs,
            wallMs: sum.wallMs + part.wallMs,
            cpuMs: sum.cpuMs + part.cpuMs,
            cost: sum.cost + part.cost,
          }
        : (part ?? sum),
    undefined,
  );
}

/** For whoever watches the stage: minutes of sound, and what a minute of it took. */
export function hearingDetail(durationMs: number, { audioMs, wallMs, cpuMs, cost }: Hearing) {
  const minutes = audioMs / 60_000;
  const perMinute = (value: number) => (minutes > 0 ? rounded(value / minutes) : 0);
  return {
    minutes_recorded: rounded(durationMs / 60_000),
    minutes_heard: rounded(minutes),
    wall_seconds_per_minute: perMinute(wallMs / 1_000),
    cpu_seconds_per_minute: perMinute(cpuMs / 1_000),
    cost: rounded(cost),
    cost_per_minute: perMinute(cost),
  };
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
