export interface Group {
  id: string;
  name: string;
  /** How many belong to it, suspended ones among them. */
  members: number;
  createdAt: Date;
}

export interface Member {
  userId: string;
  email: string;
  addedAt: Date;
}

/** Of a tenant. */
export const MOST_GROUPS = 1_000;
