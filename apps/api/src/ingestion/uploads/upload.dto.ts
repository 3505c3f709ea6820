import { z } from 'zod';
import { PRIORITIES } from '../jobs/job.js';
import { READABLE_TYPES } from '../parsing/media-types.js';

/** As it was set: spaces and all. */
export const DocumentPassword = z.string().min(1).max(255);

/** The fields beside the file. Tags come as one list with commas, as several fields, or both. */
export const UploadFields = z.strictObject({
  collection: z.string().trim().min(1).max(100).optional(),
  tags: z.array(z.string().trim().min(1).max(50)).max(20).default([]),
  title: z.string().trim().min(1).max(300).optional(),
  visibility: z.enum(['private', 'tenant']).optional(),
  priority: z.enum(PRIORITIES).optional(),
  password: DocumentPassword.optional(),
});
export type UploadFields = z.infer<typeof UploadFields>;

/** The form as OpenAPI shows it. */
export const UPLOAD_FORM = {
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary', description: `One of: ${READABLE_TYPES}.` },
    title: { type: 'string', maxLength: 300, description: 'The name of the file unless given.' },
    collection: {
      type: 'string',
      maxLength: 100,
      description: 'A name of your own, by which lists, searches and questions can be narrowed.',
    },
    tags: {
      type: 'string',
      description:
        'The same, as many as wanted: comma separated, or the field repeated; 20 at most, of 50 characters.',
    },
    visibility: {
      type: 'string',
      enum: ['private', 'tenant'],
      description:
        'Who may see it: you alone, or everybody of the tenant, which needs the permission document.share. Unless ' +
        'given, whoever the collection is shared with; you alone where it is not.',
    },
    priority: {
      type: 'string',
      enum: [...PRIORITIES],
      default: 'normal',
      description: 'Among the documents of the tenant that wait.',
    },
    password: {
      type: 'string',
      format: 'password',
      maxLength: 255,
      description: 'Opens a protected file. It is kept sealed until the document is ready.',
    },
  },
};
