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

/**
 * Who may see a document, said here and nowhere else: its owner; everybody of the tenant; who is granted it, himself or
 * in a group; or whoever its collection is shared with. What is granted is read once for a statement, and only when it
 * meets a document that needs it. Row-level security lies beneath, and knows tenants only.
 *
 * @param d the row of `document`
 * @param user SQL that says the user, the same for each row
 */
export const mayRead = (d: string, user: string) =>
  `(${d}.owner_id = ${user}::uuid or ${d}.visibility = 'tenant'
    or (${d}.visibility = 'shared' and ${d}.id in (select granted_documents(${user}::uuid)))
    or (${d}.visibility = 'collection' and ${d}.collection in (select granted_collections(${user}::uuid))))`;

/** What holds for a row `d` of `document` that is searched. The tenant is named too, because it leads every index. */
export const inScope = (tenant: string, user: string, ids: string, collection: string, tags: string) =>
  `d.tenant_id = ${tenant}
    and ${mayRead('d', user)}
    and (${ids}::uuid[] is null or d.id = any (${ids}))
    and (${collection}::text is null or d.collection = ${collection})
    and (${tags}::text[] is null or d.tags @> ${tags})`;

export const IN_SCOPE = inScope('$1', '$2', '$3', '$4', '$5');

/** What these stores need of a transaction, so that a test can give them any PostgreSQL. */
export interface Queryable {
  query<T = unknown>(sql: string, parameters?: unknown[]): Promise<T>;
}

export const keyOfPlace = ({ documentId, generation, ordinal }: PassagePlace) =>
  `${documentId}/${generation}/${ordinal}`;
