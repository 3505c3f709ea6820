import { type Checkpoints, runWorkflow, type Stage, StageFailed } from './workflow.js';

type Name = 'receive' | 'extract' | 'structure' | 'embed' | 'assess' | 'publish';

const GRAPH: { name: Name; after: Name[] }[] = [
  { name: 'receive', after: [] },
  { name: 'extract', after: ['receive'] },
  { name: 'structure', after: ['extract'] },
  { name: 'embed', after: ['structure'] },
  { name: 'assess', after: ['structure'] },
  { name: 'publish', after: ['embed', 'assess'] },
];

/** Outlives the "process": what a crash leaves behind is exactly what was made durable before it. */
class DurableCheckpoints implements Checkpoints<Name, string> {
  readonly results = new Map<Name, string>();
  readonly begun: Name[] = [];
  crash: { stage: Name; when: 'before' | 'after' } | undefined;

  async completed() {
    return new Set(this.results.keys());
  }
  async begin(name: Name) {
    this.begun.push(name);
  }
  async complete(name: Name, outcome: string, next: readonly Name[]) {
    this.crashIf(name, 'before');
    if (this.results.has(name)) throw new Error(`${name} was completed twice`);
    this.results.set(name, outcome);
    this.begun.push(...next);
    this.crashIf(name, 'after');
  }
  private crashIf(stage: Name, when: 'before' | 'after') {
    if (this.crash?.stage === stage && this.crash.when === when) throw new Error('crash');
  }
}

function stages(run: (name: Name, signal: AbortSignal) => Promise<string>): Stage<Name, string>[] {
  return GRAPH.map(({ name, after }) => ({ name, after, run: (signal) => run(name, signal) }));
}

const working = stages(async (name) => `result of ${name}`);
const never = new AbortController().signal;

describe('a workflow', () => {
  it('runs every stage after the stages that it depends on', async () => {
    const checkpoints = new DurableCheckpoints();
    await runWorkflow(working, checkpoints, never);
    const order = [...checkpoints.results.keys()];
    for (const { name, after } of GRAPH)
      for (const earlier of after) expect(order.indexOf(earlier)).toBeLessThan(order.indexOf(name));
    expect(order).toHaveLength(GRAPH.length);
  });

  it('begins each stage once, mostly in the step that completes the one before', async () => {
    const checkpoints = new DurableCheckpoints();
    await runWorkflow(working, checkpoints, never);
    expect(checkpoints.begun.toSorted()).toEqual(GRAPH.map(({ name }) => name).toSorted());
  });

  it('runs independent stages at the same time', async () => {
    const met = { embed: Promise.withResolvers<void>(), assess: Promise.withResolvers<void>() };
    await runWorkflow(
      stages(async (name) => {
        if (name === 'embed' || name === 'assess') {
          met[name].resolve();
          await Promise.all([met.embed.promise, met.assess.promise]);
        }
        return name;
      }),
      new DurableCheckpoints(),
      never,
    );
  });

  const crashPoints = GRAPH.flatMap(({ name }) => [[name, 'before'] as const, [name, 'after'] as const]);
  it.each(crashPoints)('resumes after a crash in %s, %s its checkpoint', async (stage, when) => {
    const checkpoints = new DurableCheckpoints();
    checkpoints.crash = { stage, when };
    await expect(runWorkflow(working, checkpoints, never)).rejects.toMatchObject({
      cause: { message: 'crash' },
    });

    const finishedBefore = new Set(checkpoints.results.keys());
    checkpoints.crash = undefined;
    checkpoints.begun.length = 0;
    await runWorkflow(working, checkpoints, never);

    expect(Object.fromEntries(checkpoints.results)).toEqual(
      Object.fromEntries(GRAPH.map(({ name }) => [name, `result of ${name}`])),
    );
    expect(checkpoints.begun.filter((name) => finishedBefore.has(name))).toEqual([]);
  });

  it('has nothing to do when every stage has its checkpoint', async () => {
    const checkpoints = new DurableCheckpoints();
    await runWorkflow(working, checkpoints, never);
    checkpoints.begun.length = 0;
    await runWorkflow(working, checkpoints, never);
    expect(checkpoints.begun).toEqual([]);
  });

  it('says which stage failed, aborts the one beside it, and returns only when both have ended', async () => {
    const ended: Name[] = [];
    const running = runWorkflow(
      stages(async (name, signal) => {
        if (name === 'assess') throw new Error('no words');
        if (name === 'embed') {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          ended.push(name);
        }
        return name;
      }),
      new DurableCheckpoints(),
      never,
    );
    await expect(running).rejects.toEqual(new StageFailed('assess', new Error('no words')));
    await expect(running).rejects.toMatchObject({ stage: 'assess', cause: { message: 'no words' } });
    expect(ended).toEqual(['embed']);
  });

  it('does not run a stage that may not be tried again', async () => {
    const ran: Name[] = [];
    const checkpoints = new DurableCheckpoints();
    checkpoints.begin = async () => {
      throw new Error('attempts exhausted');
    };
    const run = stages(async (name) => {
      ran.push(name);
      return name;
    });
    await expect(runWorkflow(run, checkpoints, never)).rejects.toMatchObject({ stage: 'receive' });
    expect(ran).toEqual([]);
  });

  it('does not start the work of a stage when the abort came while it began', async () => {
    const abort = new AbortController();
    const ran: Name[] = [];
    const checkpoints = new DurableCheckpoints();
    const complete = checkpoints.complete.bind(checkpoints);
    checkpoints.complete = async (name, outcome, next) => {
      await complete(name, outcome, next);
      if (next.includes('extract')) abort.abort(new Error('shutting down'));
    };
    const run = stages(async (name) => {
      ran.push(name);
      return name;
    });
    await expect(runWorkflow(run, checkpoints, abort.signal)).rejects.toThrow('shutting down');
    expect(ran).toEqual(['receive']);
  });

  it('makes nothing durable once it was aborted, and fails with the reason of the abort', async () => {
    const abort = new AbortController();
    const checkpoints = new DurableCheckpoints();
    const run = stages(async (name) => {
      if (name === 'extract') abort.abort(new Error('shutting down'));
      return name;
    });
    await expect(runWorkflow(run, checkpoints, abort.signal)).rejects.toThrow('shutting down');
    expect([...checkpoints.results.keys()]).toEqual(['receive']);
  });

  it('has ended well when the abort came after the last checkpoint', async () => {
    const abort = new AbortController();
    const checkpoints = new DurableCheckpoints();
    const complete = checkpoints.complete.bind(checkpoints);
    checkpoints.complete = async (name, outcome, next) => {
      await complete(name, outcome, next);
      if (name === 'publish') abort.abort();
    };
    await expect(runWorkflow(working, checkpoints, abort.signal)).resolves.toBeUndefined();
  });

  it('refuses stages that wait for one another', async () => {
    const circle: Stage<'a' | 'b', string>[] = [
      { name: 'a', after: ['b'], run: async () => 'a' },
      { name: 'b', after: ['a'], run: async () => 'b' },
    ];
    const checkpoints = {
      completed: async () => new Set<'a' | 'b'>(),
      begin: async () => undefined,
      complete: async () => undefined,
    };
    await expect(runWorkflow(circle, checkpoints, never)).rejects.toThrow('wait for one another');
  });
});
