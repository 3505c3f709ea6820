import { type Batch, BatchQueue, batchesOf } from './batch-queue.js';

const batch = (text: string, urgent = false): Batch => ({
  texts: [text],
  urgent,
  resolve: () => undefined,
  reject: () => undefined,
});

describe('the queue of batches', () => {
  it('gives batches out in the order in which they came', () => {
    const queue = new BatchQueue();
    for (const text of ['a', 'b', 'c']) queue.add(batch(text));
    expect([queue.take(), queue.take(), queue.take()].map((b) => b?.texts[0])).toEqual(['a', 'b', 'c']);
    expect(queue.take()).toBeUndefined();
  });

  it('lets an urgent batch pass all that came before it, but no other urgent one', () => {
    const queue = new BatchQueue();
    queue.add(batch('passages'));
    queue.add(batch('first question', true));
    queue.add(batch('second question', true));
    const order = [queue.take(), queue.take(), queue.take()].map((b) => b?.texts[0]);
    expect(order).toEqual(['first question', 'second question', 'passages']);
  });

  it('forgets a batch that nobody wants any more, unless it was taken', () => {
    const queue = new BatchQueue();
    const waiting = batch('waiting');
    queue.add(waiting);
    expect(queue.remove(waiting)).toBe(true);
    expect(queue.size).toBe(0);
    expect(queue.remove(waiting)).toBe(false);
  });
});

describe('cutting texts into batches', () => {
  const limits = { maxTexts: 3, maxChars: 20 };

  it('names every text exactly once', () => {
    const texts = ['aaaa', 'b', 'cccccccccccccccccccccccccccccc', 'dd', 'eeeeeeeeee', 'f'];
    expect(
      batchesOf(texts, limits)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('holds the limit of texts, and of characters as they are after padding', () => {
    const batches = batchesOf(['1', '2', '3', '4', '12345678', '123456789'], limits);
    expect(batches).toEqual([[0, 1, 2], [3, 4], [5]]);
  });

  it('gives a text that is too long for the limit a batch of its own', () => {
    expect(batchesOf(['x'.repeat(100), 'y'.repeat(100)], limits)).toEqual([[0], [1]]);
  });

  it('makes no batch of nothing', () => {
    expect(batchesOf([], limits)).toEqual([]);
  });
});
