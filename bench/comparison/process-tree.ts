import { readdir, readFile } from 'node:fs/promises';

/** Resident memory of a process and of all that it began, sampled until told to stop; in megabytes. */
export class MemoryOfTree {
  peakMb = 0;
  /** Of the process alone. */
  ownPeakMb = 0;
  /** Of the largest process that it began. */
  largestChildMb = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pid: number,
    everyMs = 100,
    /** Processes whose command has this are not counted, such as the database that belongs to all. */
    private readonly except = /postgres/,
  ) {
    this.timer = setInterval(() => void this.sample(), everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async sample(): Promise<void> {
    const tree = await this.tree();
    const sizes = await Promise.all(tree.map((pid) => residentMb(pid)));
    this.peakMb = Math.max(this.peakMb, Math.round(sizes.reduce((sum, size) => sum + size, 0)));
    this.largestChildMb = Math.max(this.largestChildMb, Math.round(Math.max(0, ...sizes.slice(1))));
    this.ownPeakMb = Math.max(this.ownPeakMb, Math.round(sizes[0] ?? 0));
  }

  private async tree(): Promise<number[]> {
    const parents = new Map<number, number>();
    const skipped = new Set<number>();
    for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
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

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
