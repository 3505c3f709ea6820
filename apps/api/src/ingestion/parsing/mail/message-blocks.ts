import { cleanText } from '../clean-text.js';
import type { Block } from '../extracted-document.js';
import { htmlBlocks } from '../html/html-blocks.js';
import { parsePage } from '../html.parser.js';
import { textBlocks } from '../text.parser.js';

/** A mail as its reader sees it. */
export interface Message {
  subject: string;
  from: string;
  to: string;
  cc: string;
  /** As the mail has it, with its time zone. */
  date: string;
  /** The lines that servers left on its way, oldest last. */
  received: readonly string[];
  html?: string;
  text?: string;
  attachmentNames: readonly string[];
}

/** Subject, who wrote to whom and when, what was attached, then the text. */
export function messageBlocks(message: Message): Block[] {
  const { subject, from, to, cc, date, received, attachmentNames } = message;
  const lines = [
    ['From', from],
    ['To', to],
    ['Cc', cc],
    ['Date', date],
    ['Attachments', attachmentNames.join(', ')],
  ].map(([name, value]) => [name, cleanText(value!)] as const);
  const title = cleanText(subject);
  return [
    ...(title === '' ? [] : [{ kind: 'heading', level: 1, text: title, page: null, box: null } as const]),
    ...lines.filter(([, value]) => value !== '').map(([name, value]) => paragraph(`${name}: ${value}`)),
    ...bodyBlocks(message),
    ...received.slice(0, MAX_RECEIVED).map((line) => paragraph(`Received: ${cleanText(line)}`)),
  ];
}

/** A mail in HTML has its tables, which its plain version lost; some programs send an empty one. */
function bodyBlocks({ html, text }: Message): Block[] {
  const blocks = html ? htmlBlocks(parsePage(html).body) : [];
  return blocks.length > 0 || !text ? blocks : textBlocks(text.replace(QUOTE_MARKS, ''));
}

const paragraph = (text: string): Block => ({ kind: 'paragraph', text, page: null, box: null });

/** What is answered stands in the answer, with signs before its lines. */
const QUOTE_MARKS = /^(?:>[ \t]?)+/gm;
/** When and where a mail arrived may matter in a dispute; more stations than this are a loop. */
const MAX_RECEIVED = 20;
