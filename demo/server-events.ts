export interface ServerEvent {
  name: string;
  /** As it was sent, usually JSON. */
  data: string;
}

/** Reads a `text/event-stream` body. Comments and ids are skipped; it ends with the body. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
}

function eventOf(block: string): ServerEvent | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') name = value!;
    else if (field === 'data') data.push(value!);
  }
  return data.length > 0 ? { name, data: data.join('\n') } : undefined;
}
