import { readFile, stat } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { InvalidConfiguration, section, variableName } from '#libs/config';
import { type Clock, InvalidPolicyOptions, type PolicyRegistry, systemClock } from '#libs/resilience';

export const resilienceSection = section(
  'RESILIENCE',
  z.object({
    file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A JSON file with options of policies that differ from the defaults, by name or as in model:*. It is read ' +
          'again whenever it changes.',
      ),
  }),
);
export type ResilienceConfig = Readonly<z.infer<typeof resilienceSection.schema>>;

const VARIABLE = variableName(resilienceSection.prefix, 'file');
const CHECK_EVERY_MS = 1_000;

/**
 * The file with changed options of policies. At start a bad one ends the program; while it runs a bad one changes
 * nothing, and the next change of the file is tried again. It is looked at every second, because notifications of file
 * systems get lost, above all in containers.
 */
export class PolicyFile {
  private readonly logger = new Logger(PolicyFile.name);
  private seen = '';
  private stopWaiting?: () => void;
  private closed = false;

  private constructor(
    private readonly path: string,
    private readonly policies: Pick<PolicyRegistry, 'update' | 'events'>,
    private readonly clock: Clock,
  ) {}

  /**
   * Applies the file and from then on every change of it.
   *
   * @returns undefined when there is no file to watch
   * @throws InvalidConfiguration naming the setting and every option that is wrong
   */
  static async open(
    path: string | undefined,
    policies: Pick<PolicyRegistry, 'update' | 'events'>,
    clock: Clock = systemClock,
  ): Promise<PolicyFile | undefined> {
    if (path === undefined) return undefined;
    const file = new PolicyFile(path, policies, clock);
    try {
      file.seen = await file.version();
      await file.apply();
    } catch (error) {
      throw new InvalidConfiguration([{ variable: VARIABLE, message: problemOf(error) }]);
    }
    file.wait();
    return file;
  }

  close(): void {
    this.closed = true;
    this.stopWaiting?.();
  }

  private wait(): void {
    this.stopWaiting = this.clock.after(CHECK_EVERY_MS, () => void this.check());
  }

  private async check(): Promise<void> {
    // Of before reading: what is written meanwhile is another version, and read the next time.
    const version = await this.version().catch(() => 'missing');
    if (version !== this.seen && !this.closed) await this.reload(version);
    if (!this.closed) this.wait();
  }

  private async reload(version: string): Promise<void> {
    this.seen = version;
    try {
      await this.apply();
      this.logger.log({ file: this.path }, 'the options of policies were read again');
    } catch (error) {
      const problem = problemOf(error);
      this.logger.error({ file: this.path, problem }, 'bad options of policies: the old ones stay');
      this.policies.events.publish({ policy: '*', type: 'reconfiguration-refused', detail: { problem } });
    }
  }

  private async apply(): Promise<void> {
    const content: unknown = JSON.parse(await readFile(this.path, 'utf8'));
    this.policies.update(z.record(z.string(), z.unknown()).parse(content));
  }

  private async version(): Promise<string> {
    const { mtimeMs, size, ino } = await stat(this.path);
    return `${mtimeMs} ${size} ${ino}`;
  }
}

/** Names and ranges, never a value. */
function problemOf(error: unknown): string {
  if (error instanceof InvalidPolicyOptions) return error.message;
  if (error instanceof SyntaxError) return 'is not JSON';
  if (error instanceof z.ZodError) return 'is not an object of policies';
  return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
