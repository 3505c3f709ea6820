import { NotAcceptable } from '../chat.errors.js';

export type AnswerFormat = 'json' | 'events';

/** In order of our own preference, for a client that takes both alike. */
const FORMATS: [AnswerFormat, type: string, group: string][] = [
  ['json', 'application/json', 'application/*'],
  ['events', 'text/event-stream', 'text/*'],
];

/**
 * Which form of an answer the client likes best, by its `Accept` header (RFC 9110, 12.5.1).
 *
 * @throws NotAcceptable when it takes neither
 */
export function formatFor(accept: string | undefined): AnswerFormat {
  const qualities = qualitiesIn(accept ?? '*/*');
  const liked = FORMATS.map(([format, ...names]) => {
    // The most specific range decides, also when it says no.
    const name = [...names, '*/*'].find((range) => qualities.has(range));
    return { format, quality: name === undefined ? 0 : qualities.get(name)! };
  });
  const best = liked.reduce((a, b) => (b.quality > a.quality ? b : a));
  if (best.quality === 0) throw new NotAcceptable();
  return best.format;
}

function qualitiesIn(accept: string): Map<string, number> {
  return new Map(
    accept.split(',').map((item) => {
      const [range = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return [range, quality === undefined ? 1 : Number(quality.slice(2)) || 0];
    }),
  );
}
