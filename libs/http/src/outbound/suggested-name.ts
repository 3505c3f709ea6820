/**
 * What a file that was fetched is called: as its server says (RFC 6266), or the last part of its address. It comes from
 * outside and is to be cleaned before it is shown. Undefined when neither says anything.
 */
export function suggestedName(url: URL, contentDisposition: string | undefined): string | undefined {
  return fromHeader(contentDisposition ?? '') || fromPath(url) || undefined;
}

function fromHeader(header: string): string | undefined {
  const [, charset, encoded] = /;\s*filename\*\s*=\s*([\w-]+)'[^']*'([^;\s]+)/i.exec(header) ?? [];
  if (encoded !== undefined && charset?.toLowerCase() === 'utf-8') {
    const name = decoded(encoded);
    if (name) return name;
  }
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header) ?? [];
  // Headers are read as Latin-1; most servers that write more than ASCII mean UTF-8.
  const raw = quoted?.replaceAll(/\\(.)/g, '$1') ?? token;
  return raw && Buffer.from(raw, 'latin1').toString('utf8');
}

function fromPath({ pathname }: URL): string | undefined {
  return decoded(pathname.split('/').at(-1)!);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
