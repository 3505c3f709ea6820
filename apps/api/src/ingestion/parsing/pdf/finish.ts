import type { Box } from '../../../rag/index.js';
import type { Block, TableBlock, TableRow, TextBlock } from '../extracted-document.js';
import type { Draft, Line, RowDraft, TableDraft, TextDraft } from './draft.js';

/** Turns drafts into blocks: joins lines, decides the hyphens at their ends, and sets pages and boxes. */
export function finishBlocks(drafts: readonly Draft[], words: Vocabulary = vocabularyOf(drafts)): Block[] {
  return drafts
    .map((draft) => (draft.kind === 'table' ? finishTable(draft, words) : finishText(draft, words)))
    .filter((block) => (block.kind === 'table' ? block.rows.length > 0 : block.text !== ''));
}

export interface Vocabulary {
  has(word: string): boolean;
  /** Whether most hyphens at line ends of this document only break words. */
  breaksWords: boolean;
}

function finishText({ kind, level, style, lines }: TextDraft, words: Vocabulary): TextBlock {
  const { text, starts } = joinLines(lines, words);
  return {
    kind,
    ...(level ? { level } : {}),
    ...(style ? { style } : {}),
    text,
    ...placeOf(lines),
    lines: lines.map((line, i) => ({ start: starts[i]!, page: line.page, box: line.box })),
  };
}

function finishTable({ caption, rows }: TableDraft, words: Vocabulary): TableBlock {
  const finished = rows
    .map((row) => finishRow(row, words))
    .filter((row) => row.label !== '' || row.cells.length > 0);
  return { kind: 'table', caption, rows: finished, ...placeOf(rows.flatMap((row) => row.own)) };
}

function finishRow(row: RowDraft, words: Vocabulary): TableRow {
  const path = (parts: Line[][]) => parts.map((lines) => joinLines(lines, words).text).join(' > ');
  return {
    group: path(row.group) || null,
    label: joinLines(row.label, words).text,
    cells: row.cells.map(({ header, lines }) => ({
      header: path(header).replace(/\s*:$/, ''),
      text: joinLines(lines, words).text,
      box: placeOf(lines).box,
    })),
    ...placeOf(row.own),
  };
}

/** Page of the first line, and the box around all lines on that page. */
function placeOf(lines: readonly Line[]): { page: number | null; box: Box | null } {
  const page = lines[0]?.page ?? null;
  const boxes = lines.filter((line) => line.page === page).map((line) => line.box);
  if (boxes.length === 0) return { page, box: null };
  const x = Math.min(...boxes.map((b) => b.x));
  const y = Math.min(...boxes.map((b) => b.y));
  const width = Math.max(...boxes.map((b) => b.x + b.width)) - x;
  const height = Math.max(...boxes.map((b) => b.y + b.height)) - y;
  return { page, box: { x: round(x), y: round(y), width: round(width), height: round(height) } };
}

const round = (share: number) => Math.round(share * 10_000) / 10_000;

/** Lines as one text, with the offset at which each line begins. */
export function joinLines(
  lines: readonly Pick<Line, 'text'>[],
  words: Vocabulary,
): { text: string; starts: number[] } {
  let text = '';
  const starts: number[] = [];
  for (const line of lines) {
    const join = text === '' ? 'nothing' : joinOf(text, line.text, words);
    if (join === 'without-hyphen') text = text.slice(0, -1);
    if (join === 'space') text += ' ';
    starts.push(text.length);
    text += line.text;
  }
  return { text, starts };
}

/**
 * A hyphen at a line end is part of the word ("out-of-" + "pocket") or was put there to break it ("treat-" + "ment").
 * The rest of the document knows: the form that it uses elsewhere is right.
 */
function joinOf(text: string, next: string, words: Vocabulary): 'space' | 'nothing' | 'without-hyphen' {
  const left = /[\p{L}\p{N}][\p{L}\p{N}'’-]*[-\u2010]$/u.exec(text)?.[0];
  if (!left) return ideographic(text, next) ? 'nothing' : 'space';
  const right = /^[\p{L}\p{N}][\p{L}\p{N}'’-]*/u.exec(next)?.[0];
  if (!right) return 'space';
  if (/\d/.test(left + right) || left.slice(0, -1).includes('-') || right.includes('-')) return 'nothing';
  const [whole, hyphened] = [left.slice(0, -1) + right, left + right].map((word) => word.toLowerCase());
  if (words.has(whole!)) return 'without-hyphen';
  if (words.has(hyphened!) || /^\p{Lu}/u.test(right)) return 'nothing';
  return words.breaksWords ? 'without-hyphen' : 'nothing';
}

/** Chinese and Japanese put no space between words, so none belongs at the end of a line. */
function ideographic(text: string, next: string): boolean {
  const han = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3001\u3002]/u;
  return han.test(text.at(-1)!) && han.test(next.at(0) ?? '');
}

/** All words that stand inside a line, in lower case; the last word of a line may be half a word, so it is left out. */
export function vocabularyOf(drafts: readonly Draft[]): Vocabulary {
  const lines = drafts.flatMap(linesOf);
  const words = new Set<string>();
  for (const { text } of lines) {
    const found = text.toLowerCase().match(WORDS) ?? [];
    if (text.endsWith('-')) found.pop();
    for (const word of found) words.add(word);
  }
  let broken = 0;
  let kept = 0;
  lines.slice(1).forEach((line, i) => {
    const left = /[\p{L}'’]+-$/u.exec(lines[i]!.text)?.[0].toLowerCase();
    const right = /^[\p{L}'’]+/u.exec(line.text)?.[0].toLowerCase();
    if (!left || !right) return;
    if (words.has(left.slice(0, -1) + right)) broken += 1;
    if (words.has(left + right)) kept += 1;
  });
  return { has: (word) => words.has(word), breaksWords: broken > kept };
}

const WORDS = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;

function linesOf(draft: Draft): Line[] {
  if (draft.kind !== 'table') return draft.lines;
  return draft.rows.flatMap((row) => [
    ...row.group.flat(),
    ...row.label,
    ...row.cells.flatMap((cell) => cell.lines),
  ]);
}
