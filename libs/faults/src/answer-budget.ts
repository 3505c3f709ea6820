const WINDOW_SECONDS = 60;
/** Fewer answers say nothing. */
const MINIMUM_ANSWERS = 20;
const MOST_FAILED = 0.5;

interface Second {
  second: number;
  answers: number;
  failed: number;
}

/** How the answers of the last minute went: an experiment that makes more than half of them fail has to end. */
export class AnswerBudget {
  private readonly ring: Second[] = Array.from({ length: WINDOW_SECONDS }, () => ({
    second: -1,
    answers: 0,
    failed: 0,
  }));

  /** @param nowMs on a clock that never jumps */
  observe(nowMs: number, failed: boolean): void {
    const second = Math.floor(nowMs / 1_000);
    const slot = this.ring[second % WINDOW_SECONDS]!;
    if (slot.second !== second) Object.assign(slot, { second, answers: 0, failed: 0 });
    slot.answers += 1;
    if (failed) slot.failed += 1;
  }

  spent(nowMs: number): boolean {
    const since = Math.floor(nowMs / 1_000) - WINDOW_SECONDS;
    let answers = 0;
    let failed = 0;
    for (const slot of this.ring)
      if (slot.second > since) {
        answers += slot.answers;
        failed += slot.failed;
      }
    return answers >= MINIMUM_ANSWERS && failed / answers > MOST_FAILED;
  }
}
