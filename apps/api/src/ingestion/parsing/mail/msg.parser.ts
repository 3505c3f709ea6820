import msgreader, { type FieldsData } from '@kenjiuno/msgreader';
import { Attachments } from '../attachments.js';
import type { ExtractedDocument } from '../extracted-document.js';
import { extensionOf } from '../media-types.js';
import { ParseFailure } from '../parse-failure.js';
import { messageBlocks } from './message-blocks.js';

// The package is CommonJS; its class is the `default` of what Node imports.
const { default: MsgReader } = msgreader;

/**
 * Reads a mail as Outlook saves it ([MS-OXMSG]): its head, its text, and what is attached to it.
 * @throws ParseFailure corrupt-file, no-text
 */
export function parseMsg(bytes: Uint8Array): ExtractedDocument {
  const { reader, mail } = open(bytes);
  const attachments = new Attachments();
  const files = (mail.attachments ?? []).filter((file) => !isDecoration(file));
  const names: string[] = [];
  for (const file of files) {
    const { fileName, content } = reader.getAttachment(file);
    names.push(fileName);
    attachments.add(fileName, content);
  }
  const blocks = messageBlocks({
    subject: mail.subject ?? '',
    from: address({ name: mail.senderName, email: mail.senderSmtpAddress ?? mail.senderEmail }),
    to: recipients(mail, 'to'),
    cc: recipients(mail, 'cc'),
    date: mail.clientSubmitTime ?? mail.messageDeliveryTime ?? '',
    received: [],
    html: htmlOf(mail),
    text: mail.body,
    attachmentNames: names,
  });
  if (blocks.length === 0) throw new ParseFailure('no-text');
  const { found, warnings } = attachments;
  const title = mail.subject?.trim() || null;
  return { format: 'outlook', title, pageCount: null, blocks, warnings, attachments: found };
}

function open(bytes: Uint8Array) {
  try {
    const reader = new MsgReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const mail = reader.getFileData();
    if (mail.error) throw new Error(mail.error);
    return { reader, mail };
  } catch (error) {
    if (error instanceof RangeError && /call stack/i.test(error.message)) throw error;
    throw new ParseFailure('corrupt-file', { cause: error });
  }
}

function recipients({ recipients: list = [] }: FieldsData, type: 'to' | 'cc'): string {
  return list
    .filter(({ recipType }) => (recipType ?? 'to') === type)
    .map(({ name, email, smtpAddress }) => address({ name, email: smtpAddress ?? email }))
    .join(', ');
}

/** Inside an organisation, Outlook gives a path in its directory instead of an address. */
function address({ name = '', email = '' }: { name?: string; email?: string }): string {
  const isAddress = email.includes('@');
  if (!isAddress || name === email) return name || email;
  return name ? `${name} <${email}>` : email;
}

function htmlOf({ bodyHtml, html, internetCodepage }: FieldsData): string | undefined {
  if (bodyHtml || !html) return bodyHtml;
  const label = internetCodepage === 65_001 ? 'utf-8' : `windows-${internetCodepage}`;
  try {
    return new TextDecoder(label).decode(html);
  } catch {
    return new TextDecoder().decode(html);
  }
}

/** Logos and bars that belong to the look of the mail. */
function isDecoration({ attachmentHidden, pidContentId, fileName, contentLength = 0 }: FieldsData): boolean {
  if (attachmentHidden) return true;
  const isPicture = PICTURES.has(extensionOf(fileName ?? ''));
  return isPicture && Boolean(pidContentId) && contentLength < MIN_INLINE_BYTES;
}

const PICTURES = new Set(['png', 'jpg', 'jpeg', 'gif', 'bmp', 'emf', 'wmz']);
const MIN_INLINE_BYTES = 10_240;
