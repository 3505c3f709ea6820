/** A leaky bucket. Times are milliseconds since 1970. */
export interface Bucket {
  level: number;
  at: number;
}

/** What is remembered of failed logins, for one attempt. */
export interface Attempts {
  /** From its network, for whatever accounts. */
  network: Bucket;
  /** For its account, from whatever networks. */
  account: Bucket;
  /** For its account from its network: how often they were locked, and until when they are. */
  pair: Bucket & { strikes: number; until: number };
  /** When the owner of the account was last seen in the network; 0: never. */
  familiar: { at: number };
}
export type AttemptKind = keyof Attempts;
export type AttemptKeys = Record<AttemptKind, string>;

export const ATTEMPT_KINDS = ['network', 'account', 'pair', 'familiar'] as const;

/** Where failed logins are remembered. */
export interface AttemptStore {
  /**
   * Changes what is remembered in one step: `work` is given a copy, and may be called again when somebody else was
   * quicker. What it throws is thrown, and nothing is changed.
   *
   * @param work is given the time too
   */
  change(keys: AttemptKeys, work: (attempts: Attempts, now: number) => void): Promise<void>;
}

/** Those used least recently are forgotten beyond this; they could only have been refused a few times more. */
const MOST_ENTRIES = 50_000;
const FORGOTTEN_AT_ONCE = 5_000;

/** In this process only: a restart forgets them, and n processes let n times as many through. */
export class ProcessAttempts implements AttemptStore {
  // One for each, so that a flood of guesses does not push out where owners were seen.
  private readonly kept = {
    network: new Map<string, Attempts['network']>(),
    account: new Map<string, Attempts['account']>(),
    pair: new Map<string, Attempts['pair']>(),
    familiar: new Map<string, Attempts['familiar']>(),
  };

  /** @param now milliseconds since 1970, by a clock that never jumps */
  constructor(private readonly now: () => number = () => performance.timeOrigin + performance.now()) {}

  get size(): number {
    return ATTEMPT_KINDS.reduce((sum, kind) => sum + this.kept[kind].size, 0);
  }

  async change(keys: AttemptKeys, work: (attempts: Attempts, now: number) => void): Promise<void> {
    const attempts = attemptsOf((kind) => this.kept[kind].get(keys[kind]));
    work(attempts, this.now());
    this.put(keys, attempts);
  }

  put(keys: AttemptKeys, attempts: Attempts): void {
    for (const kind of ATTEMPT_KINDS)
      remember<Attempts[AttemptKind]>(
        this.kept[kind] as Map<string, Attempts[AttemptKind]>,
        keys[kind],
        attempts[kind],
      );
  }
}

/** A copy of what is known, and nothing in place of what is not. */
export function attemptsOf(find: (kind: AttemptKind) => object | undefined): Attempts {
  return {
    network: { level: 0, at: 0, ...find('network') },
    account: { level: 0, at: 0, ...find('account') },
    pair: { level: 0, at: 0, strikes: 0, until: 0, ...find('pair') },
    familiar: { at: 0, ...find('familiar') },
  };
}

/** Whether there is anything in it to remember. */
export function isEmpty(entry: Attempts[AttemptKind]): boolean {
  return 'level' in entry ? entry.level <= 0 && !('strikes' in entry && entry.strikes > 0) : entry.at === 0;
}

function remember<V extends Attempts[AttemptKind]>(entries: Map<string, V>, key: string, entry: V): void {
  entries.delete(key);
  if (isEmpty(entry)) return;
  entries.set(key, entry);
  if (entries.size <= MOST_ENTRIES) return;
  // Many at once: to find the first one takes a map longer the more were taken from its beginning before.
  for (const oldest of [...entries.keys()].slice(0, FORGOTTEN_AT_ONCE)) entries.delete(oldest);
}
