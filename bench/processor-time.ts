import { readdir, readFile } from 'node:fs/promises';

/** Of the clock that /proc counts processor time by. */
const TICKS_PER_SECOND = 100;

interface Times {
  parent: number;
  /** Of the process with all its threads. */
  ownMs: number;
  /** Of its children that have ended and been waited for. */
  endedMs: number;
}

/** Milliseconds of processor time that a process has used with all its threads, without its children. */
export async function processorMs(pid: number): Promise<number> {
  return timesIn(await readFile(`/proc/${pid}/stat`, 'utf8')).ownMs;
}

/** The same of a server and its children, whether they are still there or have ended. */
export async function serverProcessorMs(pid: number): Promise<number> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    names.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')),
  );
  let ms = (await processorMs(pid)) + timesIn(await readFile(`/proc/${pid}/stat`, 'utf8')).endedMs;
  for (const stat of stats.filter(Boolean)) {
    const { parent, ownMs } = timesIn(stat);
    if (parent === pid) ms += ownMs;
  }
  return ms;
}

function timesIn(stat: string): Times {
  // The command, in brackets, may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (field: number) => (Number(fields[field]) * 1_000) / TICKS_PER_SECOND;
  return { parent: Number(fields[1]), ownMs: ms(11) + ms(12), endedMs: ms(13) + ms(14) };
}
