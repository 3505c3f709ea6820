import { formatFor } from './accept.js';

describe('formatFor', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['application/*', 'json'],
    ['text/event-stream', 'events'],
    ['text/*', 'events'],
    ['TEXT/Event-Stream', 'events'],
    ['text/event-stream, application/json', 'json'],
    ['application/json;q=0.5, text/event-stream', 'events'],
    ['text/event-stream;q=0.9, */*;q=0.1', 'events'],
    ['application/json;q=0, */*', 'events'],
    ['text/html, application/json;charset=utf-8', 'json'],
  ])('reads %s as %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });

  it.each(['text/html', 'application/xml', 'application/json;q=0', '*/*;q=0', ''])(
    'refuses "%s"',
    (accept) => {
      expect(() => formatFor(accept)).toThrow(expect.objectContaining({ kind: 'not-acceptable' }));
    },
  );
});
