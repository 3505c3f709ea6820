import type { DocumentBody } from './api-client.js';
import type { Palette } from './print.js';

/** What one document's line shows. */
export interface DocumentProgress {
  name: string;
  percent: number;
  /** The stages under way, or how it ended. */
  stage: string;
  /** What a person may like to know beside it. */
  note: string;
}

export function progressOf({
  filename,
  percent,
  status,
  answerable,
  stages,
}: DocumentBody): DocumentProgress {
  const running = stages.filter((stage) => stage.status === 'running').map((stage) => stage.name);
  const states = { ready: 'ready', failed: 'failed', queued: 'queued', processing: WAITING };
  return {
    name: filename,
    percent: status === 'ready' ? 100 : percent,
    stage: status === 'processing' && running.length > 0 ? running.join(' + ') : states[status],
    note: status === 'processing' && answerable === 'lexical' ? ', answerable by its words' : '',
  };
}

/** Between two stages. */
const WAITING = 'waiting';

/** One line: name, bar, percentage and state, no wider than the terminal. */
export function renderBar(progress: DocumentProgress, nameWidth: number, columns: number): string {
  const name = shorten(progress.name, nameWidth).padEnd(nameWidth);
  const percent = `${Math.round(progress.percent)}%`.padStart(4);
  const filled = Math.round((Math.min(100, Math.max(0, progress.percent)) / 100) * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return shorten(`  ${name}  ${bar} ${percent}  ${progress.stage}${progress.note}`, columns - 1);
}

const BAR_WIDTH = 24;
const NAME_WIDTH_MAX = 32;

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Shows the progress of several documents: bars that are redrawn on a terminal, elsewhere a line for each change. */
export class ProgressBoard {
  private readonly documents = new Map<string, DocumentProgress>();
  private drawnLines = 0;

  constructor(
    private readonly output: Output,
    private readonly palette: Palette,
  ) {}

  update(document: DocumentBody): void {
    const before = this.documents.get(document.id);
    const now = withoutPause(progressOf(document), before);
    this.documents.set(document.id, now);
    const changed = before?.stage !== now.stage || before.note !== now.note;
    if (this.output.isTTY && (changed || before.percent !== now.percent)) this.redraw();
    else if (!this.output.isTTY && changed)
      this.output.write(`  ${now.name}: ${now.stage}${now.note} (${Math.round(now.percent)}%)\n`);
  }

  private redraw(): void {
    const all = [...this.documents.values()];
    const nameWidth = Math.min(NAME_WIDTH_MAX, Math.max(...all.map(({ name }) => name.length)));
    const lines = all.map((progress) => this.colour(progress, nameWidth));
    // Up to the first bar, then each line is written over and its rest erased.
    const up = this.drawnLines > 0 ? `\u001b[${this.drawnLines}A` : '';
    this.output.write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}`);
    this.drawnLines = lines.length;
  }

  private colour(progress: DocumentProgress, nameWidth: number): string {
    const line = renderBar(progress, nameWidth, this.output.columns ?? 80);
    if (progress.stage === 'ready') return this.palette.good(line);
    return progress.stage === 'failed' ? this.palette.bad(line) : line;
  }
}

/** The instants between two stages would only flicker. */
function withoutPause(now: DocumentProgress, before: DocumentProgress | undefined): DocumentProgress {
  return now.stage === WAITING && before ? { ...now, stage: before.stage } : now;
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
