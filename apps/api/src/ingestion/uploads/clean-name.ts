const SPACES = /[\t\n\v\f\r\p{Z}]/gu;
/** Control characters, and marks that turn the direction of what follows or cannot be seen at all. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{VS}]/gu;

/**
 * A name that a person gave, fit to be shown: in one line, without characters that would hide what it is
 * ("‮fdp.exe"), at most `maxLength` code points. Empty when nothing is left.
 */
export function cleanName(name: string, maxLength: number): string {
  const shown = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(SPACES, ' ')
    .replaceAll(UNSEEN, '')
    .replaceAll(/ +/g, ' ')
    .trim();
  return Array.from(shown).slice(0, maxLength).join('').trim();
}

/** The last part of a path, of any system, because some clients send the whole; the ending survives the cut. */
export function cleanFileName(name: string, maxLength = 255): string {
  const base = cleanName(name.split(/[/\\]/).at(-1) ?? '', 10_000).replaceAll(/^\.+|[. ]+$/g, '');
  const characters = Array.from(base);
  if (characters.length <= maxLength) return base || 'document';
  const ending = /\.[A-Za-z0-9]{1,10}$/.exec(base)?.[0] ?? '';
  return characters.slice(0, maxLength - ending.length).join('') + ending;
}

/** What a document is called when nobody gave it a title: its file's name without the ending. */
export function titleOf(filename: string, maxLength = 300): string {
  return cleanName(filename.replace(/\.[A-Za-z0-9]{1,10}$/, ''), maxLength) || filename;
}
