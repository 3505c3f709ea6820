import { Attachments } from '../attachments.js';
import type { Block, ExtractedDocument, ExtractionWarning } from '../extracted-document.js';
import { ParseFailure } from '../parse-failure.js';
import { readMail } from './eml.parser.js';

/**
 * Reads a mailbox (RFC 4155): mail after mail, each under its subject.
 * @throws ParseFailure corrupt-file, no-text, too-complex
 */
export async function parseMbox(bytes: Uint8Array): Promise<ExtractedDocument> {
  const attachments = new Attachments();
  const blocks: Block[] = [];
  const warnings: ExtractionWarning[] = [];
  let count = 0;
  for (const mail of mailsIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) {
    if (count >= MAX_MAILS) {
      warnings.push({ code: 'output-truncated' });
      break;
    }
    count += 1;
    blocks.push(...(await readMail(mail, attachments, { withTrail: false })).blocks);
  }
  if (blocks.length === 0) throw new ParseFailure('no-text');
  return {
    format: 'mbox',
    title: null,
    pageCount: null,
    blocks,
    warnings: [...warnings, ...attachments.warnings],
    attachments: attachments.found,
  };
}

/** A mail begins behind a line "From sender date"; such a line in a mail is written with a sign before it. */
function* mailsIn(box: Buffer): Iterable<Buffer> {
  // One byte a letter, so that places in the text are places in the file.
  const text = box.toString('latin1');
  const starts = [
    ...text.matchAll(/(?:^|\r?\n\r?\n)(From [^\r\n]*\d{4}[^\r\n]*\r?\n)(?=[A-Za-z][A-Za-z0-9-]*:)/g),
  ].map((match) => ({ from: match.index, body: match.index + match[0].length }));
  for (const [index, { body }] of starts.entries()) {
    const mail = text.slice(body, starts[index + 1]?.from);
    yield Buffer.from(mail.replace(/^>(>*From )/gm, '$1'), 'latin1');
  }
}

const MAX_MAILS = 2_000;
