import type { DocumentFormat } from './extracted-document.js';

/** What can be read, by the media type that its content shows. */
export const FORMAT_OF_MEDIA_TYPE: Readonly<Record<string, DocumentFormat>> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'text/markdown': 'markdown',
  'text/plain': 'text',
};

export function mediaTypeOf(format: DocumentFormat): string {
  return Object.entries(FORMAT_OF_MEDIA_TYPE).find(([, value]) => value === format)![0];
}
