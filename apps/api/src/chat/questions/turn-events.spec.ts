import type { Answer, Citation } from '../../rag/index.js';
import type { Turn } from './turn.js';
import { eventsAfter } from './turn-events.js';

const citation = (marker: number, answerStart: number, answerEnd: number): Citation => ({
  marker,
  documentId: 'd',
  documentTitle: 'Plan',
  passageId: `p${marker}`,
  page: 1,
  box: null,
  quote: 'q',
  sourceStart: 0,
  sourceEnd: 1,
  answerStart,
  answerEnd,
});
const TEXT = 'One is so [1]. Two is so [2].';
const CITATIONS = [citation(1, 0, 9), citation(2, 15, 24)];
const ANSWER: Answer = {
  text: TEXT,
  notInDocuments: false,
  grounding: 1,
  citations: CITATIONS,
  servedBy: 'openai:a',
  serviceLevel: 'full',
  degradations: [],
  usage: { inputTokens: 7, outputTokens: 3 },
  timings: { retrieveMs: 1, generateMs: 2, totalMs: 3 },
  pendingDocumentIds: [],
};

const turn = (members: Partial<Turn> = {}): Turn => ({
  id: 't1',
  conversationId: 'c1',
  question: 'How?',
  selection: {},
  status: 'answered',
  results: [{ passageId: 'p1', documentId: 'd', documentTitle: 'Plan', headingPath: [], page: 1 }],
  text: TEXT,
  citations: CITATIONS,
  answer: ANSWER,
  errorCode: null,
  isSaved: true,
  createdAt: new Date(0),
  ...members,
});
/** The turn when this much of its text had been written. */
const halfway = (chars: number): Turn =>
  turn({
    status: 'answering',
    answer: null,
    text: TEXT.slice(0, chars),
    citations: CITATIONS.filter(({ answerStart }) => answerStart < chars),
  });

const names = (events: { event: string }[]) => events.map(({ event }) => event);
const textOf = (events: { event: string; data: object }[]) =>
  events.map(({ event, data }) => (event === 'message' ? (data as { delta: string }).delta : '')).join('');

describe('eventsAfter', () => {
  it('tells a turn from its results to its end, in order, each event with a higher id', () => {
    const events = eventsAfter(0, turn());
    expect(names(events)).toEqual([
      'search_results',
      'citation',
      'message',
      'citation',
      'message',
      'final_answer',
      'usage',
      'done',
    ]);
    expect(textOf(events)).toBe(TEXT);
    expect(events.map(({ id }) => id)).toEqual([1, 2, 17, 18, 32, 33, 34, 35]);
    expect(events.at(-1)!.data).toEqual({ turn_id: 't1', status: 'answered' });
    expect(events.at(-2)!.data).toEqual({ served_by: 'openai:a', input_tokens: 7, output_tokens: 3 });
  });

  it('tells everything exactly once, wherever a reader stopped and however far the turn was then', () => {
    const whole = eventsAfter(0, turn());
    for (let chars = 0; chars <= TEXT.length; chars++) {
      const before = eventsAfter(0, halfway(chars));
      const after = eventsAfter(before.at(-1)!.id, turn());
      expect(textOf([...before, ...after])).toBe(TEXT);
      const others = [...before, ...after].filter(({ event }) => event !== 'message');
      expect(others).toEqual(whole.filter(({ event }) => event !== 'message'));
    }
  });

  it('resumes within a delta', () => {
    const [message] = eventsAfter(5, turn());
    expect(message).toEqual({ id: 17, event: 'message', data: { delta: TEXT.slice(3, 15) } });
  });

  it('has nothing more to tell to who was told everything, or claims to', () => {
    expect(eventsAfter(35, turn())).toEqual([]);
    expect(eventsAfter(999_999_999, turn())).toEqual([]);
  });

  it('tells no end while the turn is under way', () => {
    expect(names(eventsAfter(0, halfway(20)))).toEqual([
      'search_results',
      'citation',
      'message',
      'citation',
      'message',
    ]);
  });

  it('ends a cancelled turn with done, and a failed one with an error that says what there is of it', () => {
    expect(eventsAfter(0, { ...halfway(10), status: 'cancelled' }).at(-1)).toMatchObject({
      event: 'done',
      data: { status: 'cancelled' },
    });
    const failed = { ...halfway(10), status: 'failed' as const, errorCode: 'answer-interrupted' };
    expect(eventsAfter(0, failed).at(-1)).toMatchObject({
      event: 'error',
      data: { code: 'answer-interrupted', retryable: true, partial: true },
    });
    const bug = { ...halfway(0), status: 'failed' as const, errorCode: 'internal-error' };
    expect(eventsAfter(0, bug).at(-1)!.data).toMatchObject({ retryable: false, partial: false });
  });

  it('counts no tokens where no model was asked, and does not know them where it said nothing', () => {
    const usageOf = (servedBy: string) =>
      eventsAfter(0, turn({ answer: { ...ANSWER, servedBy, usage: null } })).at(-2)!.data;
    expect(usageOf('extractive')).toEqual({ served_by: 'extractive', input_tokens: 0, output_tokens: 0 });
    expect(usageOf('compatible:x')).toEqual({
      served_by: 'compatible:x',
      input_tokens: null,
      output_tokens: null,
    });
  });
});
