import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { VISIBILITIES } from '../documents/document.js';
import type { Collection } from './collection.store.js';
import type { CollectionSharing } from './collections.service.js';
import type { DocumentSharing } from './document-sharing.service.js';
import { MOST_GRANTS, type NamedGrantee } from './sharing.js';

const COLLECTION_VISIBILITIES = ['private', 'shared', 'tenant'] as const;

const Grant = z.strictObject({ kind: z.enum(['user', 'group']), id: z.uuid() });
const grants = z
  .array(Grant)
  .max(MOST_GRANTS)
  .default([])
  .describe('Who may read it besides the owner; only with the visibility shared.');
const goTogether = (sharing: { visibility: string; grants: unknown[] }) =>
  sharing.visibility === 'shared' || sharing.grants.length === 0;
const APART = { message: 'Grants go with the visibility shared alone', path: ['grants'] };

export const ShareDocument = z
  .strictObject({
    visibility: z
      .enum(VISIBILITIES)
      .describe('collection: whoever its collection is shared with, now and later.'),
    grants,
  })
  .refine(goTogether, APART);
export type ShareDocument = z.infer<typeof ShareDocument>;

export const ShareCollection = z
  .strictObject({ visibility: z.enum(COLLECTION_VISIBILITIES), grants })
  .refine(goTogether, APART);
export type ShareCollection = z.infer<typeof ShareCollection>;

const GrantBody = z.object({
  kind: z.enum(['user', 'group']),
  id: z.uuid(),
  name: z.string().describe('Of a user, the e-mail address.'),
});

export const DocumentSharingBody = z.object({
  visibility: z.enum(VISIBILITIES),
  effective: z.enum(COLLECTION_VISIBILITIES).describe('What comes of it where the collection has the say.'),
  collection: z.string().nullable(),
  grants: z.array(GrantBody).describe('Its own, or those of its collection where that has the say.'),
});
export type DocumentSharingBody = z.infer<typeof DocumentSharingBody>;

export const CollectionSharingBody = z.object({
  visibility: z.enum(COLLECTION_VISIBILITIES),
  grants: z.array(GrantBody),
});
export type CollectionSharingBody = z.infer<typeof CollectionSharingBody>;

export const CollectionItem = z.object({
  name: z.string(),
  documents: z.number().int().describe('That you may see.'),
  visibility: z
    .enum(COLLECTION_VISIBILITIES)
    .nullable()
    .describe('null: it is not shared as such; its documents are, or are not, one by one.'),
});
export type CollectionItem = z.infer<typeof CollectionItem>;
export const CollectionPage = pageOf(CollectionItem);
export type CollectionPage = z.infer<typeof CollectionPage>;

export const ListCollections = z.strictObject(cursorQuery);
export type ListCollections = z.infer<typeof ListCollections>;
export const CollectionCursor = z.tuple([z.string().max(100)]);
export const CollectionName = z.string().trim().min(1).max(100);

const toGrantBody = ({ kind, id, name }: NamedGrantee) => ({ kind, id, name });

export function toDocumentSharingBody({ grants, ...sharing }: DocumentSharing): DocumentSharingBody {
  return { ...sharing, grants: grants.map(toGrantBody) };
}

export function toCollectionSharingBody({ visibility, grants }: CollectionSharing): CollectionSharingBody {
  return { visibility, grants: grants.map(toGrantBody) };
}

export const toCollectionItem = ({ name, documents, visibility }: Collection): CollectionItem => ({
  name,
  documents,
  visibility,
});
