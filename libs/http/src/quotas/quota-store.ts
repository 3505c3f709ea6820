/** What one process says to the store of a quota, in milliseconds of its rate (units × period / limit). */
export interface Drawing {
  key: string;
  /** Taken here since the last word; negative what was given back. */
  spentMs: number;
  /** How far ahead of now the quota is used without it, as far as this process knows. */
  knownMs: number;
  /** To be taken if all that is asked for in the same exchange fits; 0 asks for nothing. */
  askedMs: number;
  /** How far ahead of now what is asked for may reach. */
  burstMs: number;
}

export interface Standing {
  /** Whether what was asked for was taken: all or nothing. */
  isGranted: boolean;
  /** How far ahead of now each quota is used by all processes together, in the order of the drawings. */
  usedMs: number[];
  /** How many processes have exchanged anything within the last seconds, this one included. */
  processes: number;
}

/** Where processes put together what each of them has taken of the quotas. */
export interface QuotaStore {
  /** In one step that no other process's comes between. @throws whatever says that nobody knows what became of it */
  exchange(drawings: readonly Drawing[]): Promise<Standing>;
  /** Calls back when the store goes. */
  onLost(listener: () => void): void;
}
