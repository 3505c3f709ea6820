import { makePassages } from '../apps/api/src/ingestion/passages/make-passages.js';
import { parseFile } from '../apps/api/src/ingestion/parsing/parse-file.js';
import type { RetrievedPassage } from '../apps/api/src/rag/retrieval/retriever.js';
import type { Passage } from '../apps/api/src/rag/index.js';
import { stem, tokenize } from '../apps/api/src/rag/text/index.js';

/** The passages of a file as the product makes them, without a database. */
export async function passagesOfFile(file: string, mediaType: string): Promise<Passage[]> {
  const document = await parseFile(file, mediaType);
  return makePassages(document).map((passage) => ({
    ...passage,
    id: `${passage.ordinal}`,
    documentId: file,
  }));
}

export type LocalRetriever = (question: string, limit?: number) => RetrievedPassage[];

/** BM25 (k1 = 1.2, b = 0.75) over stems in memory, scores divided by the best one. */
export function localRetriever(passages: Passage[], documentTitle: string): LocalRetriever {
  const bags = passages.map(({ text, headingPath }) => stemsOf([...headingPath, text].join('\n')));
  const meanLength = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length;
  const frequencies = new Map<string, number>();
  for (const bag of bags)
    for (const word of new Set(bag)) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);

  const scoreOf = (bag: string[], words: string[]) =>
    words.reduce((sum, word) => {
      const inBag = bag.filter((other) => other === word).length;
      const inAll = frequencies.get(word) ?? 0;
      const rarity = Math.log(1 + (bags.length - inAll + 0.5) / (inAll + 0.5));
      return sum + (rarity * inBag * 2.2) / (inBag + 1.2 * (0.25 + (0.75 * bag.length) / meanLength));
    }, 0);

  return (question, limit = 60) => {
    const words = [...new Set(stemsOf(question))];
    const scores = bags.map((bag) => scoreOf(bag, words));
    const best = Math.max(...scores, Number.MIN_VALUE);
    return passages
      .map((passage, i) => {
        const score = scores[i]! / best;
        const found = { documentTitle, documentVersion: 1, score, lexicalScore: score, semanticScore: null };
        return { ...passage, ...found };
      })
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  };
}

const stemsOf = (text: string) => tokenize(text).map((token) => stem(token.text));
