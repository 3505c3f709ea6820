import { z } from 'zod';

/** When something is said, in milliseconds from the beginning of its recording; nothing for what is written. */
export interface SpokenTime {
  startMs?: number | null;
  endMs?: number | null;
}

/** For people: "00:14:05–00:14:31", in whole seconds; null for what is written. */
export function timeLabel({ startMs, endMs }: SpokenTime): string | null {
  if (typeof startMs !== 'number' || typeof endMs !== 'number') return null;
  const start = clock(Math.floor(startMs / 1_000));
  const end = clock(Math.ceil(endMs / 1_000));
  return start === end ? start : `${start}–${end}`;
}

function clock(seconds: number): string {
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** The members of a message about a passage that tell when it is said. */
export const timeBody = {
  start_ms: z
    .number()
    .int()
    .nullable()
    .describe(
      'When it is said, in milliseconds from the beginning of the recording; null for what is written.',
    ),
  end_ms: z.number().int().nullable(),
  time_label: z.string().nullable().describe('The same for people, such as 00:14:05–00:14:31.'),
};

/** What was kept before passages had times has none. */
export const toTimeBody = ({ startMs = null, endMs = null }: SpokenTime) => ({
  start_ms: startMs,
  end_ms: endMs,
  time_label: timeLabel({ startMs, endMs }),
});
