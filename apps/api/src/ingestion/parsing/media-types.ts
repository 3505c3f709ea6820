import type { DocumentFormat } from './extracted-document.js';

/** A kind of file that can be read. */
export interface FileType {
  /** As people call it. */
  name: string;
  mediaType: string;
  format: DocumentFormat;
  /** Endings of file names, the usual one first. */
  extensions: readonly string[];
}

const OPEN_XML = 'application/vnd.openxmlformats-officedocument';

/** Everything that can be read: media types, endings of names and the sentences about them all follow from this. */
export const FILE_TYPES: readonly FileType[] = [
  type('PDF', 'application/pdf', 'pdf', 'pdf'),
  type('DOCX', `${OPEN_XML}.wordprocessingml.document`, 'docx', 'docx docm dotx dotm'),
  type('PPTX', `${OPEN_XML}.presentationml.presentation`, 'pptx', 'pptx pptm ppsx ppsm potx potm'),
  type('XLSX', `${OPEN_XML}.spreadsheetml.sheet`, 'xlsx', 'xlsx xlsm xltx xltm xlsb'),
  type('XLS', 'application/vnd.ms-excel', 'xls', 'xls xlt'),
  type('CSV', 'text/csv', 'csv', 'csv tsv tab'),
  type('HTML', 'text/html', 'html', 'html htm xhtml'),
  type('Markdown', 'text/markdown', 'markdown', 'md markdown'),
  type('plain text', 'text/plain', 'text', 'txt text'),
  type('RTF', 'application/rtf', 'rtf', 'rtf'),
  type('ODT', 'application/vnd.oasis.opendocument.text', 'odt', 'odt ott'),
  type('EPUB', 'application/epub+zip', 'epub', 'epub'),
  type('EML', 'message/rfc822', 'email', 'eml'),
  type('MBOX', 'application/mbox', 'mbox', 'mbox mbx'),
  type('MSG', 'application/vnd.ms-outlook', 'outlook', 'msg'),
  type('VTT', 'text/vtt', 'subtitles', 'vtt'),
  type('SRT', 'application/x-subrip', 'subtitles', 'srt'),
  type('PNG', 'image/png', 'image', 'png'),
  type('JPEG', 'image/jpeg', 'image', 'jpg jpeg'),
  type('TIFF', 'image/tiff', 'image', 'tif tiff'),
  type('WEBP', 'image/webp', 'image', 'webp'),
  type('WAV', 'audio/wav', 'audio', 'wav'),
  type('FLAC', 'audio/flac', 'audio', 'flac'),
  type('MP3', 'audio/mpeg', 'audio', 'mp3'),
  type('M4A', 'audio/mp4', 'audio', 'm4a'),
  type('Ogg', 'audio/ogg', 'audio', 'ogg oga opus'),
  type('MP4', 'video/mp4', 'video', 'mp4 m4v'),
  type('WEBM', 'video/webm', 'video', 'webm'),
  type('MKV', 'video/x-matroska', 'video', 'mkv'),
];

/** What can be read, by the media type that its content shows. */
export const FORMAT_OF_MEDIA_TYPE: Readonly<Record<string, DocumentFormat>> = Object.fromEntries(
  FILE_TYPES.map(({ mediaType, format }) => [mediaType, format]),
);

const MEDIA_TYPE_OF_EXTENSION: ReadonlyMap<string, string> = new Map(
  FILE_TYPES.flatMap(({ extensions, mediaType }) => extensions.map((extension) => [extension, mediaType])),
);

/** The media type of a format; of those that have several, the first. */
export function mediaTypeOf(format: DocumentFormat): string {
  return FILE_TYPES.find((candidate) => candidate.format === format)!.mediaType;
}

/** The media type that the ending of a file's name stands for. */
export function mediaTypeByName(filename: string): string | undefined {
  return MEDIA_TYPE_OF_EXTENSION.get(extensionOf(filename));
}

/** The ending of a file's name in lower case, without the dot; empty when there is none. */
export function extensionOf(filename: string): string {
  return /\.([^./\\]+)$/.exec(filename)?.[1]?.toLowerCase() ?? '';
}

const names = FILE_TYPES.map(({ name }) => name);
/** For people: "PDF, DOCX … and MKV". */
export const READABLE_TYPES = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function type(name: string, mediaType: string, format: DocumentFormat, extensions: string): FileType {
  return { name, mediaType, format, extensions: extensions.split(' ') };
}
