/**
 * The language of a text in ISO 639-1; null when there is too little text to say. The detector's tables take 30 MB and
 * most of a second to load, so the first text loads them.
 */
export async function languageOf(text: string): Promise<string | null> {
  const { eld } = await import('eld/extrasmall');
  const result = eld.detect(text);
  return result.isReliable() ? result.language : null;
}
