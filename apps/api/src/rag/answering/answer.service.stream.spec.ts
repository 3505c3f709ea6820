import { TransientFailure } from '#libs/errors';
import {
  collect,
  FakeModel,
  finds,
  GOOD,
  HIT,
  never,
  request,
  serviceIn,
} from '../../../../../test/support/answer-world.js';
import type { Answer } from './answer.js';
import { piecesOf } from './answer-pieces.js';

describe('AnswerService', () => {
  describe('for a client that wants a certain level', () => {
    it('gives what reaches it, and otherwise says what there is', async () => {
      const models = [
        new FakeModel('openai:a', [new TransientFailure('503')]),
        new FakeModel('openai:b', GOOD),
      ];
      const service = serviceIn({ models });
      const ask = async (atLeast: 'full' | 'degraded') =>
        (await collect(service.stream(request, never, { atLeast, live: false }))).error;
      expect(await ask('degraded')).toBeUndefined();
      expect(await ask('full')).toMatchObject({
        code: 'service-level-not-met',
        extra: { required: 'full', available: 'degraded' },
      });
    });

    it('tells a reader before the first event that only words could be compared', async () => {
      const service = serviceIn({ retriever: finds([HIT], 'lexical') });
      const { types, error } = await collect(service.stream(request, never, { atLeast: 'full' }));
      expect(types).toEqual([]);
      expect(error).toMatchObject({ code: 'service-level-not-met' });
    });
  });

  describe('as a stream', () => {
    it('gives out what was searched, the pieces of the answer as it is saved, and the answer', async () => {
      const deltas = GOOD.match(/.{1,9}/g)!;
      const { events, types } = await collect(
        serviceIn({ models: [new FakeModel('openai:a', deltas)] }).stream(request, never),
      );
      expect(types).toEqual(['search-results', 'citation', 'text', 'answer']);
      expect(events[0]).toEqual({
        type: 'search-results',
        results: [
          {
            passageId: 'passage-1',
            documentId: 'document-1',
            documentTitle: 'Gold Plan',
            headingPath: ['Costs'],
            page: 2,
            startMs: null,
            endMs: null,
          },
        ],
      });
      const { answer } = events.at(-1) as { answer: Answer };
      const citations = events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []));
      expect(citations).toEqual(answer.citations);
    });

    it.each([
      ['an extractive answer', {}],
      ['an answer that was complete before it was given out', { models: [new FakeModel('openai:a', GOOD)] }],
    ])('gives out %s in the same pieces', async (_, world) => {
      const { events } = await collect(serviceIn(world).stream(request, never, { live: false }));
      const { answer } = events.at(-1) as { answer: Answer };
      expect(events.slice(1, -1)).toEqual(piecesOf(answer));
    });

    it('switches to the next model before its first piece', async () => {
      const models = [
        new FakeModel('openai:a', ['The overall deduct', new TransientFailure('reset')]),
        new FakeModel('openai:b', GOOD),
      ];
      const { text, events, error } = await collect(serviceIn({ models }).stream(request, never));
      expect(error).toBeUndefined();
      expect(text).toBe(
        'The overall deductible is "$500 per person" [1]. Referrals are "needed for specialists" [2].',
      );
      expect(events.at(-1)).toMatchObject({ type: 'answer', answer: { servedBy: 'openai:b' } });
    });

    it('does not switch after it: it breaks off with an error of its own', async () => {
      const models = [
        new FakeModel('openai:a', [GOOD, new TransientFailure('reset')]),
        new FakeModel('openai:b', GOOD),
      ];
      const { text, error } = await collect(serviceIn({ models }).stream(request, never));
      expect(text).toBe('The overall deductible is "$500 per person" [1].');
      expect(error).toMatchObject({ code: 'answer-interrupted', kind: 'unavailable' });
      expect(models[1]!.asked).toEqual([]);
    });
  });
});
