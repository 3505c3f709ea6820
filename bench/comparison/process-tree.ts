import { readdirSync, readFileSync } from 'node:fs';

/**
 * Resident memory of a process and of all that it began, sampled until told to stop; in megabytes. It reads while it
 * waits, because reading a hundred small files in the background takes twenty times as long, which what is measured pays for.
 */
export class MemoryOfTree {
  peakMb = 0;
  /** Of the process alone. */
  ownPeakMb = 0;
  /** Of the largest process that it began. */
  largestChildMb = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pid: number,
    everyMs = 250,
    /** Processes whose command has this are not counted, such as the database that belongs to all. */
    private readonly except = /postgres/,
  ) {
    this.timer = setInterval(() => this.sample(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    const sizes = this.tree().map((pid) => residentMb(pid));
    this.peakMb = Math.max(this.peakMb, Math.round(sizes.reduce((sum, size) => sum + size, 0)));
    this.largestChildMb = Math.max(this.largestChildMb, Math.round(Math.max(0, ...sizes.slice(1))));
    this.ownPeakMb = Math.max(this.ownPeakMb, Math.round(sizes[0] ?? 0));
  }

  private tree(): number[] {
    const parents = new Map<number, number>();
    const skipped = new Set<number>();
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const stat = textOf(`/proc/${name}/stat`);
      const [, command, parent] = /\((.*)\) \S (\d+)/.exec(stat) ?? [];
      if (parent === undefined) continue;
      parents.set(Number(name), Number(parent));
      if (this.except.test(command!)) skipped.add(Number(name));
    }
    const found = [this.pid];
    for (const pid of found)
      for (const [child, parent] of parents) if (parent === pid && !skipped.has(child)) found.push(child);
    return found;
  }
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
}

/** Empty when the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
