import type { Extractor } from './extractor.js';

/** Who reads a file, by its media type: the first whose prefix fits, else the one for documents. */
export class Extractors {
  /** @param special by the beginning of the media type, such as `image/` */
  constructor(
    private readonly documents: Extractor,
    private readonly special: readonly { prefix: string; extractor: Extractor }[] = [],
  ) {}

  for(mediaType: string): Extractor {
    return this.special.find(({ prefix }) => mediaType.startsWith(prefix))?.extractor ?? this.documents;
  }
}
