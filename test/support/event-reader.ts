export interface ReceivedEvent {
  id?: string;
  event: string;
  data: Record<string, unknown>;
}

/** Reads the server-sent events of a response as they come. */
export async function* readEvents(response: Response): AsyncGenerator<ReceivedEvent> {
  let buffer = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    const blocks = buffer.split('\n\n');
    buffer = blocks.pop()!;
    for (const block of blocks) {
      const event = parse(block);
      if (event) yield event;
    }
  }
}

/** All events until the server ends the stream. */
export async function allEvents(response: Response): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for await (const event of readEvents(response)) events.push(event);
  return events;
}

/** undefined for a comment, such as a heartbeat. */
function parse(block: string): ReceivedEvent | undefined {
  const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line) ?? [line, '', line]);
  const field = (name: string) => fields.find(([, key]) => key === name)?.[2];
  const data = field('data');
  if (data === undefined) return undefined;
  return {
    id: field('id'),
    event: field('event') ?? 'message',
    data: JSON.parse(data) as Record<string, unknown>,
  };
}
