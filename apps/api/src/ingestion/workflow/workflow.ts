/** One step of a workflow. It may run again after a crash, so running it twice must give the same result. */
export interface Stage<Name extends string, Outcome> {
  readonly name: Name;
  /** The stages whose checkpoints must stand before this one begins. */
  readonly after: readonly Name[];
  run(signal: AbortSignal): Promise<Outcome>;
}

/**
 * Where results become durable. A stage counts as done from the moment `complete` has returned, and no sooner. What does it
 * no harm to be done again may still be on its way there then; it arrives before anything that comes after it.
 */
export interface Checkpoints<Name extends string, Outcome> {
  completed(): Promise<ReadonlySet<Name>>;
  /** Before the work of a stage that `complete` has not begun. Throws when it may not be tried again. */
  begin(name: Name): Promise<void>;
  /** Makes the outcome durable, and that the stages of `next` have begun: all of it or nothing. */
  complete(name: Name, outcome: Outcome, next: readonly Name[]): Promise<void>;
}

/** Says which stage failed; what happened is in `cause`. */
export class StageFailed extends Error {
  constructor(
    readonly stage: string,
    override readonly cause: unknown,
  ) {
    super(`The stage ${stage} failed`, { cause });
    this.name = 'StageFailed';
  }
}

/**
 * Runs every stage that has no checkpoint yet, each as soon as those it comes after are done, independent ones at
 * the same time. When one fails, the others are aborted and waited for, so that nothing runs on after the return.
 *
 * @throws StageFailed for the first stage that failed; the reason of `signal` when that was aborted
 */
export async function runWorkflow<Name extends string, Outcome>(
  stages: readonly Stage<Name, Outcome>[],
  checkpoints: Checkpoints<Name, Outcome>,
  signal: AbortSignal,
): Promise<void> {
  const done = new Set(await checkpoints.completed());
  const running = new Map<Name, Promise<void>>();
  const begun = new Set<Name>();
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);

  const runStage = async (stage: Stage<Name, Outcome>) => {
    try {
      if (!begun.has(stage.name)) await checkpoints.begin(stage.name);
      either.throwIfAborted();
      const outcome = await stage.run(either);
      either.throwIfAborted();
      const next = stages
        .filter((s) => isReady(s, new Set(done).add(stage.name), running))
        .map((s) => s.name);
      await checkpoints.complete(stage.name, outcome, next);
      done.add(stage.name);
      for (const name of next) begun.add(name);
    } catch (cause) {
      // The first failure is the one that is told; what it aborts fails too, but only as a consequence.
      failure.abort(failure.signal.reason ?? new StageFailed(stage.name, cause));
    } finally {
      running.delete(stage.name);
    }
  };

  const isFinished = () => stages.every((stage) => done.has(stage.name));
  while (!either.aborted && !isFinished()) {
    for (const stage of stages.filter((s) => isReady(s, done, running)))
      running.set(stage.name, runStage(stage));
    if (running.size === 0) throw new Error('The stages of the workflow wait for one another');
    await Promise.race(running.values());
  }
  await Promise.all(running.values());
  if (!isFinished()) either.throwIfAborted();
}

function isReady<Name extends string>(
  stage: { name: Name; after: readonly Name[] },
  done: ReadonlySet<Name>,
  running: ReadonlyMap<Name, unknown>,
): boolean {
  return !done.has(stage.name) && !running.has(stage.name) && stage.after.every((name) => done.has(name));
}
