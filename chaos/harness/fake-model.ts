import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { FakeStats, ModelCall, Script } from '../../test/support/fake-model-server.js';

/** The scripted model server as a process of its own. */
export class FakeModel {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<FakeModel> {
    const child = spawn(process.execPath, ['dist/test/support/fake-model-main.js'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { FAKE_MODEL_STOP_WITH_STDIN: '1' },
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new FakeModel((JSON.parse(line) as { url: string }).url, child);
  }

  /** In the place of the script before; an empty one heals. */
  follow(script: Script): Promise<void> {
    return this.lead('/__script', script);
  }

  /** Sets the counters to zero. */
  forget(): Promise<void> {
    return this.lead('/__forget', {});
  }

  async stats(): Promise<FakeStats> {
    return (await (await fetch(`${this.url}/__stats`)).json()) as FakeStats;
  }

  /** The last chat calls, with their prompts. */
  async calls(): Promise<ModelCall[]> {
    return (await (await fetch(`${this.url}/__calls`)).json()) as ModelCall[];
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  private async lead(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`The fake model answered ${response.status} to ${path}`);
    await response.arrayBuffer();
  }
}
