import PostalMime, { type Address, type Attachment as MimePart, type Email } from 'postal-mime';
import { Attachments } from '../attachments.js';
import type { Block, ExtractedDocument } from '../extracted-document.js';
import { ParseFailure } from '../parse-failure.js';
import { messageBlocks } from './message-blocks.js';

/**
 * Reads a mail (RFC 5322 with MIME): its head, its text, and what is attached to it.
 * @throws ParseFailure corrupt-file, no-text
 */
export async function parseEml(bytes: Uint8Array): Promise<ExtractedDocument> {
  const attachments = new Attachments();
  const { title, blocks } = await readMail(bytes, attachments);
  if (blocks.length === 0) throw new ParseFailure('no-text');
  const { found, warnings } = attachments;
  return { format: 'email', title, pageCount: null, blocks, warnings, attachments: found };
}

/** Blocks of one mail; its files go to `attachments`. @throws ParseFailure corrupt-file, too-complex */
export async function readMail(
  bytes: Uint8Array,
  attachments: Attachments,
  { withTrail = true } = {},
): Promise<{ title: string | null; blocks: Block[] }> {
  const mail = await readMime(bytes);
  const files = mail.attachments.filter((part) => !isDecoration(part));
  const names = files.map((part, index) => part.filename || nameFor(part, index));
  files.forEach((part, index) => attachments.add(names[index]!, bytesOf(part)));
  const headers = (key: string) =>
    mail.headers.filter((header) => header.key === key).map(({ value }) => value);
  const blocks = messageBlocks({
    subject: mail.subject ?? '',
    from: addresses(mail.from ? [mail.from] : []),
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    date: headers('date')[0] ?? '',
    received: withTrail ? headers('received') : [],
    html: mail.html,
    text: mail.text,
    attachmentNames: names,
  });
  return { title: mail.subject?.trim() || null, blocks };
}

async function readMime(bytes: Uint8Array): Promise<Email> {
  try {
    return await PostalMime.parse(bytes, { forceRfc822Attachments: true, maxNestingDepth: MAX_NESTING });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new ParseFailure(/nesting/i.test((error as Error).message) ? 'too-complex' : 'corrupt-file', {
      cause: error,
    });
  }
}

function addresses(list: readonly Address[] | undefined): string {
  return (list ?? [])
    .flatMap((entry) => (entry.group ? entry.group : [entry]))
    .map(({ name, address }) => (name && name !== address ? `${name} <${address}>` : (address ?? '')))
    .join(', ');
}

/** Logos and bars that belong to the look of the mail. A small picture inside the text is no scan of a bill. */
function isDecoration(part: MimePart): boolean {
  const isInline = part.disposition === 'inline' || part.related === true;
  const isSmall = part.mimeType.startsWith('image/') && bytesOf(part).length < MIN_INLINE_BYTES;
  return (isInline && isSmall) || UNREAD_TYPES.has(part.mimeType);
}

function bytesOf({ content }: MimePart): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content as ArrayBuffer);
}

const nameFor = ({ mimeType }: MimePart, index: number) =>
  `attachment-${index + 1}.${EXTENSIONS[mimeType] ?? mimeType.split('/')[1]?.replace(/[^a-z0-9]/gi, '') ?? 'bin'}`;

const EXTENSIONS: Readonly<Record<string, string>> = {
  'message/rfc822': 'eml',
  'text/plain': 'txt',
  'image/jpeg': 'jpg',
};
/** Signatures, and reports about deliveries. */
const UNREAD_TYPES = new Set([
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
  'application/pgp-signature',
  'message/delivery-status',
  'text/calendar',
]);
const MIN_INLINE_BYTES = 10_240;
const MAX_NESTING = 30;
