import { parseArgs } from 'node:util';

/** What the person asked the demonstration to do. */
export type DemoRequest =
  | { kind: 'help' }
  | { kind: 'samples'; keep: boolean }
  | { kind: 'own-file'; keep: boolean; file: string; question: string };

/** The command line cannot be understood; the message says what to write instead. */
export class UsageError extends Error {}

export const HELP = `Usage: npm run demo                          the sample plan documents and six questions
       npm run demo -- FILE "QUESTION"       your own file and question
       npm run demo -- --keep                leave the server running afterwards
       npm run demo -- --help

Starts Insurance Navigator with its embedded database, uploads the documents, shows how they are processed, asks,
and prints each answer with the places it is quoted from. Then it stops and removes what it made. Nothing leaves
this machine.

FILE may be PDF, DOCX, HTML, Markdown or plain text. Put a path or a question with spaces in quotation marks.
With --keep the data stays in ./data (or DATA_DIR), and PORT chooses the port. Ctrl-C ends everything.`;

/**
 * Reads the command line.
 * @throws UsageError for unknown options and for a file without a question or the reverse
 */
export function readArguments(args: string[]): DemoRequest {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  const keep = values.keep ?? false;
  const [file, question, ...surplus] = positionals;
  if (file === undefined) return { kind: 'samples', keep };
  if (question === undefined || !question.trim())
    throw new UsageError(`Give a question about ${file}: npm run demo -- "${file}" "What is my deductible?"`);
  if (surplus.length > 0)
    throw new UsageError(
      `One file and one question, please; put quotation marks around each: npm run demo -- "${file}" "${[question, ...surplus].join(' ')}"`,
    );
  return { kind: 'own-file', keep, file, question: question.trim() };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. To specify')[0]}\n\n${HELP}`);
  }
}
