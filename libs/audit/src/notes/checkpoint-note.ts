/** What a checkpoint says, as C2SP tlog-checkpoint writes it. */
export interface Checkpoint {
  /** Names the log, and with it the installation. */
  origin: string;
  /** Leaves of the log. */
  size: number;
  root: Buffer;
  /** RFC 3339: an extension line `time …`, so that a log at rest still says that it is there. */
  at: string;
}

const BODY = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\ntime (\d{4}-\d\d-\d\dT[\d:.]+Z)\n$/;

export function checkpointText({ origin, size, root, at }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\ntime ${at}\n`;
}

/** @throws SyntaxError */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin, size, root, at] = BODY.exec(text) ?? [];
  if (!origin || !size || !root || !at) throw new SyntaxError('This is no checkpoint');
  return { origin, size: Number(size), root: Buffer.from(root, 'base64'), at };
}
