/** A conversation belongs to the person who began it; nobody else sees it. */
export interface Conversation {
  id: string;
  /** Given by its owner, else the beginning of the first question; null before that. */
  title: string | null;
  createdAt: Date;
  /** Of the latest question. */
  updatedAt: Date;
}

/** Whose conversations. */
export interface Owner {
  tenantId: string;
  userId: string;
}
