import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = 'secrets';
const FILE_NAME = 'first-administrator-password';

/**
 * Where the password that was made up for the first administrator stands until he chooses another one. It is written
 * before his account is, so that no crash leaves an account whose password nobody has seen.
 */
export class FirstPassword {
  private constructor(readonly path: string) {}

  static in(dataDir: string): FirstPassword {
    return new FirstPassword(join(dataDir, FOLDER, FILE_NAME));
  }

  /** Undefined where there is none. */
  async read(): Promise<string | undefined> {
    try {
      return (await readFile(this.path, 'utf8')).trim() || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The one that is there, of a start that did not get further or of a process beside this one; else this one. */
  async keep(password: string): Promise<string> {
    const folder = join(this.path, '..');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = join(folder, `.${FILE_NAME}.${randomUUID()}`);
    try {
      await writeDurably(draft, `${password}\n`);
      // Whole, and for exactly one of those who try.
      await link(draft, this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(draft, { force: true });
    }
    return (await this.read()) ?? password;
  }

  /** It is good no more. */
  forget(): Promise<void> {
    return rm(this.path, { force: true });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
