import { z } from 'zod';
import { cursorQuery, pageOf } from '#libs/http';
import { DOCUMENT_STATUSES } from '../documents/document.js';
import { PRIORITIES } from '../jobs/job.js';
import { READABLE_TYPES } from '../parsing/media-types.js';
import { UPLOAD_FORM, UploadFields } from '../uploads/upload.dto.js';
import { type ImportItem, ITEM_KINDS, ITEM_STATES } from './import.js';

const MOST_URLS = 10_000;
const URLS =
  'Addresses of files or ZIP files. They begin with http:// or https:// and can be reached without signing in.';

/** For everything that comes in together. */
export const ImportFormFields = UploadFields.omit({ title: true, password: true });

export const ImportUrls = ImportFormFields.extend({
  urls: z.array(z.string().trim().min(1).max(2_000)).min(1).max(MOST_URLS).describe(URLS),
});
export type ImportUrls = z.infer<typeof ImportUrls>;

const { collection, tags, visibility, priority } = UPLOAD_FORM.properties;
const FIELDS = { collection, tags, visibility, priority };

/** The form as OpenAPI shows it. */
export const IMPORT_FORM = {
  type: 'object',
  required: ['file'],
  properties: {
    ...FIELDS,
    file: {
      type: 'array',
      items: { type: 'string', format: 'binary' },
      description: `Behind the other fields, as often as there are files. ZIP files, and: ${READABLE_TYPES}.`,
    },
  },
};
export const IMPORT_URLS = {
  type: 'object',
  required: ['urls'],
  properties: {
    ...FIELDS,
    tags: { type: 'array', items: { type: 'string' }, maxItems: 20 },
    urls: {
      type: 'array',
      items: { type: 'string', format: 'uri', maxLength: 2_000 },
      minItems: 1,
      maxItems: MOST_URLS,
      description: URLS,
    },
  },
};

export const ListImports = z.strictObject(cursorQuery);
export type ListImports = z.infer<typeof ListImports>;
export const ListItems = z.strictObject({ ...cursorQuery, state: z.enum(ITEM_STATES).optional() });
export type ListItems = z.infer<typeof ListItems>;

const isoTime = z.iso.datetime();
const count = z.number().int();
const countsOf = <Name extends string>(names: readonly Name[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, count])) as Record<Name, typeof count>);

export const ImportBody = z.object({
  id: z.uuid(),
  state: z
    .enum(['running', 'paused', 'cancelled', 'finished'])
    .describe('finished: nothing of it waits, and each of its documents rests.'),
  receiving: z.boolean().describe('Its request still brings files.'),
  visibility: z.enum(['private', 'tenant']).nullable().describe('null: as the collection has it.'),
  collection: z.string().nullable(),
  tags: z.array(z.string()),
  priority: z.enum(PRIORITIES),
  items: countsOf(['total', ...ITEM_STATES]).describe('A ZIP file counts once until it is looked into.'),
  documents: countsOf(DOCUMENT_STATUSES).describe('What the accepted items have become.'),
  percent: z.number().int().min(0).max(100),
  eta_seconds: count.nullable().describe('By the pace so far; null when that says nothing.'),
  created_at: isoTime,
  finished_at: isoTime.nullable(),
});
export type ImportBody = z.infer<typeof ImportBody>;
export const ImportPage = pageOf(ImportBody);

const ReasonBody = z.object({ code: z.string(), message: z.string() });
export const ItemBody = z.object({
  ordinal: count,
  kind: z.enum(ITEM_KINDS),
  name: z.string().nullable().describe('null in the private import of somebody else, as the url.'),
  url: z.string().nullable(),
  state: z.enum(ITEM_STATES).describe('accepted: it has become a document.'),
  reason: ReasonBody.nullable().describe('Why it was refused.'),
  document: z
    .object({
      id: z.uuid(),
      status: z.enum(DOCUMENT_STATUSES),
      reason: ReasonBody.nullable(),
    })
    .nullable(),
  repeated: z.boolean().describe('You had this document before; it is left as it is.'),
  size_bytes: z.number().nullable(),
  attempts: count,
  settled_at: isoTime.nullable(),
});
export type ItemBody = z.infer<typeof ItemBody>;
export const ItemPage = pageOf(ItemBody);

export function toItemBody(item: ImportItem): ItemBody {
  const { ordinal, kind, name, url, state, attempts, documentId, documentStatus } = item;
  return {
    ordinal,
    kind,
    name,
    url,
    state,
    reason: reasonOf(item.reasonCode, item.reasonDetail),
    document:
      documentId && documentStatus
        ? {
            id: documentId,
            status: documentStatus as (typeof DOCUMENT_STATUSES)[number],
            reason: reasonOf(item.documentReasonCode, item.documentReasonDetail),
          }
        : null,
    repeated: item.isRepeat,
    size_bytes: item.sizeBytes,
    attempts,
    settled_at: item.settledAt?.toISOString() ?? null,
  };
}

function reasonOf(code: string | null, message: string | null) {
  return code === null ? null : { code, message: message ?? '' };
}
