/** Where a search looks: in the documents that its reader sees, or in some of them. */
export interface SearchScope {
  reader: { tenantId: string; userId: string };
  documentIds?: readonly string[];
  collection?: string;
  /** All of them. */
  tags?: readonly string[];
}

/** Names a passage. What was found by it is still good while the document's live generation is this one. */
export interface PassagePlace {
  documentId: string;
  generation: number;
  ordinal: number;
}

/** The first five parameters of every search; `IN_SCOPE` refers to them. */
export const scopeParameters = ({ reader, documentIds, collection, tags }: SearchScope): unknown[] => [
  reader.tenantId,
  reader.userId,
  documentIds ?? null,
  collection ?? null,
  tags?.length ? tags : null,
];

/** What holds for a row `d` of `document` that is searched. The tenant is named too, because it leads every index. */
export const IN_SCOPE = `d.tenant_id = $1
    and (d.owner_id = $2 or d.visibility = 'tenant')
    and ($3::uuid[] is null or d.id = any ($3))
    and ($4::text is null or d.collection = $4)
    and ($5::text[] is null or d.tags @> $5)`;

/** What these stores need of a transaction, so that a test can give them any PostgreSQL. */
export interface Queryable {
  query<T = unknown>(sql: string, parameters?: unknown[]): Promise<T>;
}

export const keyOfPlace = ({ documentId, generation, ordinal }: PassagePlace) =>
  `${documentId}/${generation}/${ordinal}`;
